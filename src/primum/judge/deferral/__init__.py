"""When the model answers and when a reader does: thresholds, their cost, their promise."""
