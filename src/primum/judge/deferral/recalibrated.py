"""A recalibrator as plain values that a policy file can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from primum.core import check
from primum.core.check import InputError
from primum.judge.recalibration import inversion, recalibrators
from primum.judge.recalibration.dirichlet import Dirichlet
from primum.judge.recalibration.isotonic import Isotonic
from primum.judge.recalibration.recalibrate import Recalibrator
from primum.judge.recalibration.structured import Structured

FORMS: dict[str, Any] = {
    "temperature": recalibrators.Temperature,
    "vector": recalibrators.Vector,
    "dirichlet": Dirichlet,
    "structured": Structured,
    "isotonic": Isotonic,
    "inversion": inversion.Inversion,
    "gain_inversion": inversion.GainInversion,
}


def to_plain(recalibrator: Recalibrator) -> dict[str, object]:
    """``{"form": …}`` and the numbers of a fitted recalibrator; the form ``none`` has none."""
    if recalibrator is recalibrators.unchanged:
        return {"form": "none"}
    form = next(name for name, kind in FORMS.items() if type(recalibrator) is kind)
    values = {field.name: getattr(recalibrator, field.name) for field in fields(FORMS[form])}
    return {"form": form} | {name: _plain(value) for name, value in values.items()}


def from_plain(content: Mapping[str, object], where: str) -> Recalibrator:
    """The recalibrator of which :func:`to_plain` wrote ``content``; ``where`` is used in messages."""
    form = check.one_of(str(content.get("form")), ("none", *FORMS), f"{where}: recalibrator")
    if form == "none":
        return recalibrators.unchanged
    needed = {field.name for field in fields(FORMS[form])}
    if set(content) != {"form", *needed}:
        raise InputError(
            f"{where}: the recalibrator {form} needs {check.shorten(sorted(needed))}, "
            f"{check.shorten(sorted(set(content) - {'form'})) or 'nothing'} arrived; fit the policy again"
        )
    try:
        recalibrator: Recalibrator = FORMS[form](**{name: _parameter(name, content[name]) for name in needed})
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: the recalibrator {form} holds numbers only; fit the policy again"
        ) from None
    return recalibrator


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _parameter(name: str, value: Any) -> Any:
    if name == "steps":  # of isotonic calibration: a pair of lists, or nothing, for each class
        return tuple(
            None if pair is None else tuple(np.array(side, np.float64) for side in pair) for pair in value
        )
    return np.array(value, dtype=np.float64) if isinstance(value, list) else float(value)
