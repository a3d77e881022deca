"""Measure: read the crawl once and write down everything that can be said of a record by looking at it alone."""
