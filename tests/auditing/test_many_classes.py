"""A table of a thousand classes is judged as one of two is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import primum
from primum.judge.recalibration import inversion
from primum.judge.recalibration.recalibrate import BY_CLASS
from primum.report import settings
from primum.report.content import Settings
from primum.severity import SeverityMatrix

CLASSES = 1139


@pytest.fixture(scope="module")
def table() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    n = 400
    labels = rng.integers(0, CLASSES, n)
    logits = rng.normal(size=(n, CLASSES)).astype(np.float32)
    logits[np.arange(n), labels] += 5
    return {
        "logits": logits, "labels": labels, "classes": np.array([f"class {k:04d}" for k in range(CLASSES)]),
        "split": np.where(np.arange(n) < 150, "cal", "test"),
    }  # fmt: skip


def costs(names: list[str]) -> SeverityMatrix:
    bad = np.arange(len(names)) < 100
    critical = bad[:, None] & ~bad
    cost = np.where(critical, 10.0, 1.0) * (1 - np.eye(len(names)))
    return SeverityMatrix(tuple(names), cost, critical, name="two groups")


def test_judged_written_and_shown(table: dict[str, np.ndarray], tmp_path: Path) -> None:
    found = primum.audit(table, costs(table["classes"].tolist()), bootstrap=100)
    right = table["logits"].argmax(axis=1) == table["labels"]
    assert found.finding("accuracy", decision="argmax").value == pytest.approx(right[150:].mean())
    compared = found.settings["recalibration"]
    assert {name for name, one in compared.items() if "cv_nll" in one} == {"none", "temperature"}
    for name in BY_CLASS:  # too few rows for 2 K numbers
        assert compared[name]["why_not"]
    found.save(tmp_path)

    content = json.loads((tmp_path / "audit.json").read_text())
    assert content == json.loads(json.dumps(found.to_dict(), default=str))
    assert sum(map(sum, content["curves"]["confusion"][0]["counts"])) == 250
    assert len((tmp_path / "audit.json").read_text().splitlines()) < 2_000

    page = re.sub(r"<script.*?</script>", "", (tmp_path / "report.html").read_text(), flags=re.S)
    assert len(page) < 500_000
    assert "20 of 1139 classes" in page


def test_the_inversion_of_a_thousand_classes_is_not_tried() -> None:
    for k, known in ((3, True), (CLASSES, False)):
        names = [f"class {number}" for number in range(k)]
        severity = {"classes": names, "cost": (1 - np.eye(k)).tolist()}
        loss = {"name": "risk_calibrated", "form": "expected", "strength": 10.0, "severity": severity}
        assert (inversion.inversion_for({"loss": loss}, names) is not None) == known


def test_the_source_is_said_in_a_line() -> None:
    names = [f"class {k:04d}" for k in range(CLASSES)]
    loss = {
        "name": "risk_calibrated",
        "risk": None,
        "severity": costs(names).to_dict(),
        "weights": [1.0] * 60,
    }
    said = dict(settings.rows(Settings(source={"loss": loss})))["Source: loss"]
    assert said.startswith("name risk_calibrated, severity two groups, weights 1.0, 1.0")
    assert said.endswith("and 35 more")
    assert len(said) < 250
