"""primum: fewer fatal errors in medical image classification, and an honest account of the rest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from primum.core.version import __version__

# Name → where it lives, imported when it is first asked for: `import primum` stays light.
_HOME = {
    "Audit": "auditing.audits.Audit",
    "Comparison": "auditing.comparisons.Comparison",
    "Finding": "judge.finding.Finding",
    "InputError": "core.check.InputError",
    "Policy": "auditing.policy.document.Policy",
    "Predictions": "predictions.Predictions",
    "PrimumError": "core.check.PrimumError",
    "Promise": "auditing.policy.terms.Promise",
    "SeverityMatrix": "severity.SeverityMatrix",
    "StatedReader": "auditing.policy.terms.StatedReader",
    "apply_policy": "auditing.policy.application.apply",
    "audit": "auditing.audits.audit",
    "check_policy": "auditing.policy.application.check",
    "compare": "auditing.comparisons.compare",
    "fit_policy": "auditing.policy.fit.fit",
    "losses": "model.losses",
    "metrics": "judge.metrics.functions",
    "read": "tables.read",
    "severity": "severity",
}

MODULES = ("losses", "metrics", "severity")  # losses need torch, so they are no part of `import *`

__all__ = [
    "Audit", "Comparison", "Finding", "InputError", "Policy", "Predictions", "PrimumError", "Promise",
    "SeverityMatrix", "StatedReader", "__version__", "apply_policy", "audit", "check_policy", "compare",
    "fit_policy", "read",
]  # fmt: skip

if TYPE_CHECKING:
    from primum.auditing.audits import Audit, audit
    from primum.auditing.comparisons import Comparison, compare
    from primum.auditing.policy.application import apply as apply_policy
    from primum.auditing.policy.application import check as check_policy
    from primum.auditing.policy.document import Policy
    from primum.auditing.policy.fit import fit as fit_policy
    from primum.auditing.policy.terms import Promise, StatedReader
    from primum.core.check import InputError, PrimumError
    from primum.judge.finding import Finding
    from primum.predictions import Predictions
    from primum.severity import SeverityMatrix
    from primum.tables import read


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'primum' has no attribute {name!r}")
    home, _, attribute = _HOME[name].rpartition(".")
    if name in MODULES:
        return import_module(f"primum.{_HOME[name]}")
    return getattr(import_module(f"primum.{home}"), attribute)


def __dir__() -> list[str]:
    return sorted({*__all__, *MODULES})
