"""What happens to records: PTransforms over pure functions, one verb a file, a wing for each stage."""
