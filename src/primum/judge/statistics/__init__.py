"""Intervals, tests and groups."""
