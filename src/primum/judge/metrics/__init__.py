"""Metrics of answers, probabilities and rankings, each with what its interval needs."""
