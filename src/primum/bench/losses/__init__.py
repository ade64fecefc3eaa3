"""The bench of losses."""
