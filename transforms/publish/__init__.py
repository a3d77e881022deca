"""Publish: put text and decisions together, balance the books, make the dataset visible."""
