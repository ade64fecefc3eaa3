"""The section on explanations, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from primum.judge.sections.content import Sections
from primum.report.page import _environment
from primum.report.sections import explanation
from tests.auditing.sections.test_explanation import made

TEMPLATE = '{% from "sections/explanation.html.jinja" import section %}{{ section(view, "") }}'


def typed(content: Any) -> Any:
    return Sections.from_dict({"explanation": content}).explanation


def page(content: dict[str, Any], **folders: Path) -> str:
    return _environment().from_string(TEMPLATE).render(view=explanation.of(typed(content), "x-", **folders))


def test_pictures_come_from_the_folder_of_the_table(tmp_path: Path) -> None:
    content = made()[0]
    path = tmp_path / content["studies"][0]["map_path"]
    path.parent.mkdir(parents=True)
    Image.new("RGB", (64, 32)).save(path)
    assert page(content, table=tmp_path).count("data:image/png;base64,") == 1
    assert page(content, images=tmp_path).count("data:image/png;base64,") == 1
    assert page(content, table=tmp_path / "elsewhere").count("no picture") == 3


def test_the_page_says_what_was_found() -> None:
    shown = " ".join(page(made()[0]).split())
    for said in (
        "Grad-CAM on 200 cases, on a grid of 7 × 7 cells",
        "keep a rank correlation of 0.90 or more",
        "median rank correlation of −0.05 on 64 cases",
        "puts 40.0 % of its energy on the lesion",
        "2.0 times what an even map would",
        "0.050 (0.000 to 0.100)",
        "+5°",
        "likelihood-ratio p = ",
        'id="x-explanation-stability"',
    ):
        assert said in shown, said
    assert "nan" not in shown.lower().replace("finance", "")


def test_what_instability_says_follows_its_interval() -> None:
    content = made()[0]
    for low, high, said in (
        (0.01, 0.05, "foretells errors beyond confidence"),
        (-0.01, 0.05, "these cases cannot tell"),
        (-0.05, -0.01, "makes the ranking of errors worse"),
    ):
        one = {
            "score": "stability_ssim",
            "value": (low + high) / 2,
            "low": low,
            "high": high,
            "n": 9,
            "why": "",
        }
        assert said in page(content | {"beyond": [one]})
    none = {"score": "stability_ssim", "value": None, "low": None, "high": None, "n": 9, "why": "too <few>"}
    assert "too &lt;few&gt;" in page(content | {"beyond": [none]})


def test_little_is_enough() -> None:
    bare = {"method": "score_cam", "layer": "l", "grid": [4, 4], "n": 1, "blank": 1}
    shown = page(bare)
    assert "No map showed anything" in shown
    assert "Score-CAM" in shown
    assert "1 map showed nothing" in " ".join(shown.split())
