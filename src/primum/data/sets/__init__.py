"""One file per data set, each with ``load(root, seed)``; their names stand in ``primum.data``."""
