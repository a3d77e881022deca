"""Texts of ledger rows: from the dataset, or read again from the crawl files."""
