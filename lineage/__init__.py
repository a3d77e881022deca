"""What can be asked of a published dataset: look up, explain, compare, verify, take down."""
