"""Explain: the facts of one document, and the words for them."""
