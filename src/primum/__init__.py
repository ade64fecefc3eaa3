"""primum: fewer fatal errors in medical image classification, and an honest account of the rest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from primum.core.version import __version__

_HOME = {
    "Audit": "auditing.audits",
    "Comparison": "auditing.comparisons",
    "Finding": "judge.finding",
    "InputError": "core.check",
    "Predictions": "predictions",
    "PrimumError": "core.check",
    "SeverityMatrix": "severity",
    "audit": "auditing.audits",
    "compare": "auditing.comparisons",
}

__all__ = [
    "Audit", "Comparison", "Finding", "InputError", "Predictions", "PrimumError", "SeverityMatrix",
    "__version__", "audit", "compare",
]  # fmt: skip

if TYPE_CHECKING:
    from primum.auditing.audits import Audit, audit
    from primum.auditing.comparisons import Comparison, compare
    from primum.core.check import InputError, PrimumError
    from primum.judge.finding import Finding
    from primum.predictions import Predictions
    from primum.severity import SeverityMatrix


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'primum' has no attribute {name!r}")
    return getattr(import_module(f"primum.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
