"""Judgements on stored predictions: arrays in, numbers out; no torch, no files."""
