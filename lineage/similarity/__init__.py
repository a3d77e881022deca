"""Find similar documents: by fingerprints, with true similarity where the texts can be had."""
