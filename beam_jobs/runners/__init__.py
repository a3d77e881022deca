"""Runners: where pipelines run, whether that can be, how a job ends there, and the workers that serve it."""
