"""The tables of a bench as Markdown: names stay text."""

from __future__ import annotations

import re

import pytest

from primum.bench.losses import markdown as losses
from primum.bench.markdown import escaped
from primum.bench.scores import markdown as scores
from primum.report.page import render
from tests.report import test_benching, test_score_benching

NAME = "a|b <img src=x onerror=1> [c](javascript:1) &lt; `d` *e*\nf \\"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
SHOWN = r"a\|b \<img src=x onerror=1\> \[c\](javascript:1) \&lt; \`d\` \*e\* f \\"


@pytest.mark.parametrize("of", [losses, scores])
def test_a_name_is_no_cell_no_link_and_no_element(of):
    machine = {"processor": NAME, "cores": 2, "python": "3"}
    content = {"name": NAME, "criterion": NAME, "settings": [], "machine": machine, "version": "0"}
    lines = of.compose(content | {"bootstrap": 100}).splitlines()
    assert lines[0] == f"# {SHOWN}"
    assert lines[-1].startswith(f"primum 0, {SHOWN}, 2 cores")
    assert "<img" not in "".join(lines).replace("\\<", "")


def test_texts_are_escaped_wherever_they_stand_and_nothing_else_is():
    content = {"rows": [{"loss": "a_b|c", "named": True, "p": 0.5, "why": None}], "pair": ("x<", 1)}
    shown = {"rows": [{"loss": r"a_b\|c", "named": True, "p": 0.5, "why": None}], "pair": [r"x\<", 1]}
    assert escaped(content) == shown


def numbers(text):
    """Every number of a text, however it writes minus and spaces."""
    return set(NUMBER.findall(text.replace("−", "-").replace("\xa0", " ")))


def visible(page):
    """A page without its pictures, scripts and styles."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("of", "content"), [(losses, test_benching.content()), (scores, test_score_benching.content())]
)
def test_every_number_of_the_markdown_stands_in_the_page(of, content):
    content |= {"machine": {"processor": "slow", "cores": 2, "python": "3.12.1"}, "bootstrap": 2000}
    printed = numbers(of.compose(content))
    assert len(printed) > 15
    assert printed <= numbers(visible(render(content)))
