"""What can be asked of a finished dataset: a command a file."""
