"""`python -m beam_jobs` is the command `cleartitle`."""

from beam_jobs.cli import main

main()
