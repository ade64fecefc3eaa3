"""What each mistake costs: the severity matrix every loss, decision and picture reads."""

from __future__ import annotations

from primum.severity.matrix import SeverityMatrix, cells, never_defer_cost, pairs
from primum.severity.reading import from_dict, presets, read

__all__ = ["SeverityMatrix", "cells", "from_dict", "never_defer_cost", "pairs", "presets", "read"]
