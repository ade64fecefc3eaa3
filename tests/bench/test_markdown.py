"""The tables of a bench as Markdown: names stay text."""

from __future__ import annotations

import pytest

from primum.bench import markdown as losses
from primum.bench.scores import markdown as scores

NAME = "a|b <img src=x onerror=1> [c](javascript:1) &lt; `d` *e*\nf \\"
SHOWN = r"a\|b \<img src=x onerror=1\> \[c\](javascript:1) \&lt; \`d\` \*e\* f \\"


@pytest.mark.parametrize("of", [losses, scores])
def test_a_name_is_no_cell_no_link_and_no_element(of):
    machine = {"processor": NAME, "cores": 2, "python": "3"}
    content = {"name": NAME, "criterion": NAME, "settings": [], "machine": machine, "version": "0"}
    lines = of.markdown(content | {"bootstrap": 100}).splitlines()
    assert lines[0] == f"# {SHOWN}"
    assert lines[-1].startswith(f"primum 0, {SHOWN}, 2 cores")
    assert "<img" not in "".join(lines).replace("\\<", "")


def test_texts_are_escaped_wherever_they_stand_and_nothing_else_is():
    content = {"rows": [{"loss": "a_b|c", "named": True, "p": 0.5, "why": None}], "pair": ("x<", 1)}
    shown = {"rows": [{"loss": r"a_b\|c", "named": True, "p": 0.5, "why": None}], "pair": [r"x\<", 1]}
    assert losses.escaped(content) == shown
