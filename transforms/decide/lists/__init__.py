"""Lists of sources: read in many formats, compiled to indexes, matched against hosts and URLs."""
