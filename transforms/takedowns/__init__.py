"""Takedowns: requests to take work out, read and matched."""
