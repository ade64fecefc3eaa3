"""Recalibrators, and the choice among them."""
