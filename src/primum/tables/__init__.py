"""Read a table of predictions from any framework, and write our own."""

from __future__ import annotations

from primum.tables.reading import Columns, each, frame_of, read
from primum.tables.writing import SCHEMA_KEY, write, write_together

__all__ = ["SCHEMA_KEY", "Columns", "each", "frame_of", "read", "write", "write_together"]
