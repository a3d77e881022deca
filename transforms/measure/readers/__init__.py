"""Readers: crawl files in, Arrow record batches of `schemas.columns.RECORDS` out."""
