"""Console: what a person is told of a run, while it runs and when it is done."""
