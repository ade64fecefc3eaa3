"""primum: fewer fatal errors in medical image classification, and an honest account of the rest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Audit": "auditing",
    "Comparison": "comparing",
    "Finding": "finding",
    "InputError": "check",
    "Predictions": "predictions",
    "PrimumError": "check",
    "SeverityMatrix": "severity",
    "audit": "auditing",
    "compare": "comparing",
}

__all__ = [
    "Audit", "Comparison", "Finding", "InputError", "Predictions", "PrimumError", "SeverityMatrix",
    "__version__", "audit", "compare",
]  # fmt: skip

if TYPE_CHECKING:
    from primum.auditing import Audit, audit
    from primum.check import InputError, PrimumError
    from primum.comparing import Comparison, compare
    from primum.finding import Finding
    from primum.predictions import Predictions
    from primum.severity import SeverityMatrix


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'primum' has no attribute {name!r}")
    return getattr(import_module(f"primum.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
