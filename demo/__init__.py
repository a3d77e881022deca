"""A small crawl to try the framework on: `make demo`. Not part of the installed package."""
