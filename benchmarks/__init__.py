"""What the whole run costs, as ratios to a plain copy in the same run."""
