"""Two questions on the page: bars that add up, pictures where there are any, ids where not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from primum import audit
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise
from primum.report.sections import deferral as section
from tests.auditing.policy.made import with_novelty
from tests.conftest import made_table
from tests.report.sections.test_deferral import HOSTILE, rendered, typed, words_of

TABLE = with_novelty(made_table(1200, skill=3.0))


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    policies = [
        fit(TABLE, "phantom", promise=Promise(alpha=0.15), veto="novelty"),
        fit(TABLE, "phantom", promise=Promise(alpha=0.15)),
        fit(TABLE, "phantom", capacity=0.3, veto="novelty", by="site"),
    ]
    judged = audit(TABLE.filter(split="test").drop("split"), "phantom", policies=policies, bootstrap=100)
    return dict(json.loads(json.dumps(judged.curves["deferral"], allow_nan=False)))


def test_a_bar_is_as_long_as_its_cases(content: dict[str, Any]) -> None:
    views: Any = section.of(typed(content), "")["gates"]
    assert [view["name"] for view in views] == [content["policies"][k]["name"] for k in (0, 2)]
    counts = content["policies"][0]["gates"]
    seen, sure, answered = (
        {part["kind"]: float(part["width"]) for part in step["parts"]} for step in views[0]["steps"]
    )
    assert sum(seen.values()) == pytest.approx(100, abs=0.02)
    assert seen["stop"] == pytest.approx(100 * counts["unfamiliar"] / counts["n"], abs=0.01)
    assert sum(sure.values()) == pytest.approx(seen["on"], abs=0.02)
    assert sum(answered.values()) == pytest.approx(sure["on"], abs=0.02)
    assert answered["error"] == pytest.approx(100 * counts["errors"] / counts["n"], abs=0.01)
    assert answered["critical"] == pytest.approx(100 * counts["critical"] / counts["n"], abs=0.01)


def test_it_says_how_many_stop_at_each(content: dict[str, Any]) -> None:
    said, counts = words_of(rendered(content)), content["policies"][0]["gates"]
    passing = counts["n"] - counts["unfamiliar"]
    for text in (
        f"{counts['unfamiliar']} of {counts['n']} cases stop here as unfamiliar",
        f"{counts['unsure']} of {passing} cases stop here as unsure",
        f"{passing - counts['unsure']} cases: {counts['harmless']} with a harmless answer, "
        f"{counts['critical']} with a critical one; {counts['errors']} critical errors among them",
        f"Negatives cleared here: {counts['cleared']} of {counts['negatives']}",
        "pass at novelty", "then accept at or above", "negatives cleared, fit rows:",
    ):  # fmt: skip
        assert text in said, text


def test_cases_are_named_where_no_picture_can_be_shown(content: dict[str, Any]) -> None:
    text = rendered(content)
    assert "gallery six" not in text
    for case in content["policies"][0]["gates"]["most_novel"]:
        assert f"{case['id']} (novelty" in words_of(text)


def test_pictures_are_shown_where_there_are(content: dict[str, Any], tmp_path: Path) -> None:
    shown = content["policies"][0]["gates"]["least_sure"]
    for case in shown[:4]:
        Image.fromarray(np.full((9, 9, 3), 90, np.uint8)).save(tmp_path / case["path"])
    views: Any = section.of(typed(content), "", tmp_path)["gates"]
    novel, unsure = views[0]["galleries"]
    assert [bool(case["picture"]) for case in unsure["cases"]] == [True] * 4 + [False] * 2
    assert unsure["shown"]
    assert not novel["shown"]


def test_nobody_at_a_gate_leaves_it_out(content: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(content))
    empty = {"n": 50, "unfamiliar": 0, "unsure": 0, "harmless": 30, "critical": 20, "errors": 0}
    changed["policies"][0]["gates"] = {**empty, "negatives": 0, "cleared": 0}
    changed["policies"] = changed["policies"][:1]
    text = rendered(changed)
    assert "none among them is a critical error" in words_of(text)
    assert 'class="stop"' not in text
    assert "novel first" not in text
    assert "Negatives cleared here" not in text


def test_without_critical_cells_answers_are_one_kind(content: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(content))
    changed["policies"] = changed["policies"][:1]
    for name in ("harmless", "critical", "errors", "negatives", "cleared"):
        changed["policies"][0]["gates"][name] = None
    said = words_of(rendered(changed))
    assert "with a harmless answer" not in said
    assert "goes on to a reader answered" in said


def test_audits_from_before_there_were_gates_are_shown(content: dict[str, Any]) -> None:
    older = json.loads(json.dumps(content))
    for policy in older["policies"]:
        del policy["gates"], policy["attainable"], policy["veto"]
        for threshold in policy["thresholds"]:
            del threshold["cleared"]
    text = rendered(older)
    assert "Two questions" not in text
    assert "What could be promised" not in text
    assert "negatives cleared, fit rows: –" in words_of(text)


def test_no_text_gets_out_of_its_place(content: dict[str, Any]) -> None:
    hostile = json.loads(json.dumps(content))
    case = hostile["policies"][0]["gates"]["most_novel"][0]
    case["id"] = case["label"] = case["predicted"] = HOSTILE
    hostile["policies"][0]["name"] = hostile["policies"][0]["veto"]["score"] = HOSTILE
    assert "<img src=x" not in rendered(hostile)


def test_a_vacuous_promise_is_not_shown_as_kept(content: dict[str, Any]) -> None:
    hollow = json.loads(json.dumps(content))
    assert re.search(r'verdict passed">certified<', rendered(hollow))
    for policy in hollow["policies"]:
        policy["thresholds"][0]["vacuous"] = policy["kind"] == "certified"
    text = rendered(hollow)
    assert 'verdict hollow">certified, vacuous<' in text
    assert 'verdict passed">certified' not in text
