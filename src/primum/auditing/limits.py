"""Limits of the user: which numbers an audit must keep to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from primum.core import check, documents
from primum.core.check import InputError
from primum.judge.metrics.table import METRICS


def read_limits(path: str | Path | None) -> dict[str, dict[str, float]]:
    """Limits of the user, ``cer: {max: 0.05}`` per line, each code with ``max``, ``min`` or both."""
    if path is None:
        return {}
    return check_limits(documents.read_yaml(path, "a file of limits (YAML)"), Path(path).name)


def check_limits(content: object, where: str) -> dict[str, dict[str, float]]:
    """Check limits: code → {max or min → number}.

    >>> check_limits({"cer": {"max": 0.05}}, "limits.yaml")
    {'cer': {'max': 0.05}}
    """
    if not isinstance(content, Mapping):
        raise InputError(f"{where}: limits are lines such as 'cer: {{max: 0.05}}'")
    limits: dict[str, dict[str, float]] = {}
    for code, limit in content.items():
        check.one_of(str(code), tuple(METRICS), f"{where}: finding")
        if not isinstance(limit, Mapping) or not limit or set(limit) - {"max", "min"}:
            raise InputError(f"{where}: the limit of {code} needs 'max' or 'min', for example {{max: 0.05}}")
        for side, value in limit.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(f"{where}: the {side} of {code} must be a number, {value!r} arrived")
        limits[str(code)] = {side: float(value) for side, value in limit.items()}
    return limits
