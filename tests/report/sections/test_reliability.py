"""The calibration section draws every diagram it is given, and says what is missing."""

from __future__ import annotations

import re

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from primum.report import content
from primum.report.sections import reliability
from tests.report.example_audit import audit


def rendered(view: dict[str, object]) -> str:
    loader = PackageLoader("primum.report", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = '{% from "sections/reliability.html.jinja" import section %}{{ section(view, "") }}'
    return environment.from_string(source).render(view=view)


def example() -> dict[str, object]:
    made = audit()
    entries = made["curves"]["reliability"]
    plain = [{"class": None, **one} for one in entries]
    by_class = [{**one, "class": name} for name in made["settings"]["classes"] for one in entries]
    sites = [{**one, "class": None, "group": f"site={name}"} for name in ("<a>", "b") for one in entries]
    made["curves"]["reliability"] = plain + by_class + sites
    made["settings"]["by"] = ["site"]
    for code, why in (("skce", "p = 0.035 that a calibrated model"), ("debiased_calibration_error", "")):
        finding = next(
            one for one in made["findings"] if one["code"] == "ece" and one["calibrated"] == "none"
        )
        made["findings"].append({**finding, "code": code, "value": 0.00123, "why": why})
    return made


def test_pooled_class_and_group_pictures() -> None:
    view = reliability.of(content.read(example()), "a-")
    assert [one.id for one in view["pictures"]] == ["a-reliability-none", "a-reliability-vector"]
    assert [(part.name, len(part.pictures)) for part in view["multiples"]] == [
        ("By class", 7),
        ("By site", 2),
    ]
    page = rendered(view)
    assert 'id="a-calibration"' in page
    assert page.count("<svg viewBox") == 9
    assert "&lt;a&gt;" in page
    assert "<a>" not in page
    assert "p = 0.035 that a calibrated model" in page
    assert "0.00123" in page
    for picture in view["multiples"][0].pictures:
        bins = sum(len(state["rows"]) for state in picture["states"])
        assert len(re.findall("<circle", picture["svg"])) == bins
        assert [state["name"] for state in picture["states"]] == ["as supplied", "recalibrated (vector)"]


def test_an_audit_without_recalibration_or_classes() -> None:
    made = example()
    made["settings"].update(recalibrator=None, by=[])
    kept = [one for one in made["curves"]["reliability"] if one["calibrated"] == "none" and not one["class"]]
    made["curves"]["reliability"] = [one for one in kept if one["group"] == "all"]
    view = reliability.of(content.read(made), "")
    assert len(view["pictures"]) == 1
    assert view["multiples"] == []
    assert "By class" not in rendered(view)


@pytest.mark.parametrize(
    "curves", [{}, {"reliability": []}, {"reliability": [{"calibrated": "none", "bins": []}]}]
)
def test_nothing_to_draw_is_said(curves: dict[str, object]) -> None:
    made = {"settings": {"classes": ["a", "b"]}, "findings": [], "curves": curves}
    assert "No reliability diagram was computed." in rendered(reliability.of(content.read(made), ""))


def test_classes_and_groups_that_are_not_drawn_are_counted() -> None:
    made = example()
    entry = made["curves"]["reliability"][0]
    made["settings"]["classes"] = [f"c{k}" for k in range(40)]
    many = [{**entry, "class": None, "group": f"site={k}"} for k in range(30)]
    made["curves"]["reliability"] = [entry, {**entry, "class": "c1"}, *many]
    page = rendered(reliability.of(content.read(made), ""))
    assert "39 more classes, the rarer ones, are not drawn" in page
    assert "6 more groups are not drawn" in page
