"""Every recalibrator comes back from plain values as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from primum.judge.deferral.recalibrated import FORMS, from_plain, to_plain
from primum.judge.recalibration.dirichlet import fit_dirichlet
from primum.judge.recalibration.inversion import GainInversion, Inversion
from primum.judge.recalibration.isotonic import fit_isotonic
from primum.judge.recalibration.recalibrators import fit_temperature, fit_vector, unchanged
from primum.judge.recalibration.structured import fit_structured
from tests.judge.every_metric import cost

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 400)
LOGITS = RNG.normal(size=(400, 4)) + 2 * np.eye(4)[LABELS]
FITTED: dict[str, Any] = {
    "none": unchanged,
    "temperature": fit_temperature(LOGITS, LABELS),
    "vector": fit_vector(LOGITS, LABELS),
    "dirichlet": fit_dirichlet(LOGITS, LABELS, 0.1),
    "structured": fit_structured(LOGITS, LABELS),
    "isotonic": fit_isotonic(LOGITS, np.where(LABELS == 3, 2, LABELS)),  # a class without a fit row
    "inversion": Inversion(cost(4) / 10, 3.0),
    "gain_inversion": GainInversion(np.eye(4) + 0.1),
}


@pytest.mark.parametrize("form", FITTED)
def test_both_ways(form: str) -> None:
    written = json.loads(json.dumps(to_plain(FITTED[form])))
    assert written["form"] == form
    assert (from_plain(written, "p")(LOGITS) == FITTED[form](LOGITS)).all()


def test_every_form_is_tried_here() -> None:
    assert set(FITTED) == {"none", *FORMS}


def test_bad_values_are_refused(refused: Callable[..., None]) -> None:
    refused(lambda: from_plain({"form": "vectr"}, "p"), "'vectr'", "did you mean 'vector'")
    refused(
        lambda: from_plain({"form": "temperature"}, "p"), "temperature needs temperature", "nothing arrived"
    )
    refused(lambda: from_plain({"form": "temperature", "temperature": "hot"}, "p"), "numbers only")
