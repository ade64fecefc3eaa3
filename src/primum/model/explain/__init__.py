"""Maps of what a network looked at, mild changes of its input, and an untrained twin to compare with."""

from __future__ import annotations
