"""What a run may be told: validated classes and how they are read. Imports schemas only."""
