"""Look up: what is asked, brought into the form of the ledger, found in the indexes, and answered."""
