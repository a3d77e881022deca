"""Compare two datasets by their ledgers and manifests."""
