"""Results of other programs as tables of predictions."""
