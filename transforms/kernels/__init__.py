"""Numbers only: numpy and numba, no Beam, no Arrow tables. Each kernel has a slow oracle in the tests."""
