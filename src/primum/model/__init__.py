"""Networks: building, training and asking them. Needs the extra ``train``."""

from __future__ import annotations

from primum.core import needs


def need(*packages: str) -> None:
    """Refuse in one sentence when one of these packages is not installed."""
    needs.need("a network", *packages)
