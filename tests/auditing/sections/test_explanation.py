"""What the section on explanations is given."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum.judge.answers import Answers, View
from primum.judge.explanation.beyond import measure
from primum.judge.finding import Finding
from tests.auditing.sections.written import explanation

N = 200
QUARTERS = {
    "spearman": [0.8, 0.9, 0.95],
    "ssim": [0.7, 0.8, 0.9],
    "iou": [0.5, 0.6, 0.7],
    "shift": [-0.1, -0.05, 0.0],
}
OTHER = QUARTERS | {"spearman": [-0.2, -0.05, 0.1]}
TOLD = {
    "method": "grad_cam", "layer": "trunk.layer4", "grid": [7, 7], "n": N, "blank": 2,
    "changes": [{"name": "turned left", "turn": 5.0, "n": N, "answer_changed": 0.1, "measures": QUARTERS}],
    "untrained": {"n": 64, "asked": 64, "measures": OTHER, "closer_than_own": 0.0},
    "lesion": {"n": 150, "energy": [0.2, 0.4, 0.6], "area": [0.1, 0.2, 0.3], "focus": [1.5, 2.0, 2.5]},
}  # fmt: skip


def judged(seed: int = 0) -> tuple[View, pl.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, N)
    sure = rng.uniform(0.4, 1, N)
    decisions = np.where(rng.random(N) < sure, labels, (labels + 1) % 3)
    stable = rng.uniform(0, 1, N)
    critical = np.zeros((3, 3), bool)
    critical[2, 0] = True
    probs = np.full((N, 3), 1 / 3)
    answers = Answers("argmax", decisions, "none", {"msr": sure, "stability_spearman": stable}, {})
    view = View(labels, {"none": probs}, {"argmax": answers}, None, np.arange(N), None, critical, None, 40, 0)
    metadata = pl.DataFrame(
        {
            "map_path": [f"t.maps/pictures/{at:06d}.png" for at in range(N)],
            "map_blank": np.arange(N) < 2,
            "answer_kept": np.ones(N),
            "lesion_energy": [None, *rng.random(N - 1)],
            "lesion_area": [None, *([0.25] * (N - 1))],
            "lesion_focus": [None, *rng.random(N - 1)],
        },
        strict=False,
    )
    return view, metadata, stable, decisions


def made(seed: int = 0) -> tuple[dict[str, Any], View, np.ndarray, np.ndarray]:
    view, metadata, stable, decisions = judged(seed)
    findings = [one.finding(view) for one in measure(view, view.answers["argmax"])]
    ids = [f"c{at}" for at in range(N)]
    found = explanation(view, ids, ("a", "b", "c"), metadata, {"explanation": TOLD}, findings)
    assert found is not None
    return found, view, stable, decisions


def test_studies_are_the_ones_named() -> None:
    found, view, stable, decisions = made()
    wrong = decisions != view.labels
    fatal = (view.labels == 2) & (decisions == 0)
    shown = np.arange(N) >= 2
    least = min(np.flatnonzero(wrong & shown), key=lambda at: stable[at])
    still = max(np.flatnonzero(fatal & shown), key=lambda at: stable[at])
    studies = found["studies"]
    assert [one["id"] for one in studies[:2]] == [f"c{least}", f"c{still}"]
    assert [one["critical"] for one in studies] == [bool(fatal[least]), True, False]
    assert studies[2]["label"] == studies[2]["predicted"]
    assert studies[0]["map_path"] == f"t.maps/pictures/{least:06d}.png"


def test_outcomes_are_quartiles_of_their_cases() -> None:
    found, view, stable, decisions = made()
    wrong, shown = decisions != view.labels, np.arange(N) >= 2
    right, failed, _ = found["outcomes"]
    assert failed["n"] == (wrong & shown).sum()
    assert right["spearman"] == pytest.approx(np.quantile(stable[~wrong & shown], (0.25, 0.5, 0.75)))
    assert right["masked"] + failed["masked"] == N - 1


def test_it_is_json_and_carries_the_finding() -> None:
    found = made()[0]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    (one,) = found["beyond"]
    assert one["score"] == "stability_spearman"
    assert one["low"] <= one["value"] <= one["high"]


def test_a_table_that_was_not_explained_has_no_section() -> None:
    view, metadata, _, _ = judged()
    ids: list[str] = [str(at) for at in range(N)]
    assert explanation(view, ids, ("a", "b", "c"), metadata, {}) is None
    bare = explanation(view, ids, ("a", "b", "c"), pl.DataFrame(), {"explanation": TOLD})
    assert bare is not None
    assert bare["studies"] == []
    assert bare["outcomes"][0]["focus"] is None


def test_findings_of_groups_are_left_out() -> None:
    view, metadata, _, _ = judged()
    other = Finding("instability_auroc_gain", "gain", 0.1, 0.0, 0.2, 9, group="site=A", decision="argmax")
    found = explanation(view, ["x"] * N, ("a", "b", "c"), metadata, {"explanation": TOLD}, [other])
    assert found is not None
    assert found["beyond"] == []
