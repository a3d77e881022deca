"""Decide: read narrow columns, find duplicates, give every record one decision and all its marks."""
