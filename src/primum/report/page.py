"""The page: one HTML file that opens offline, a pure function of an audit, a comparison or a bench."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from primum.core.check import InputError
from primum.report import benching, comparing, content, score_benching, scripting, view

AUDIT, COMPARISON, BENCH = "primum.audit/1", "primum.comparison/1", "primum.bench/1"
SCORE_BENCH = "primum.bench_scores/1"


def render(audit: Mapping[str, Any], images: Path | None = None, maps: Path | None = None) -> str:
    """Write an audit, a comparison or a bench as one self-contained page.

    Args:
        audit: the dict of an audit (``primum.audit/1``), a comparison (``primum.comparison/1``) or a bench
            (``primum.bench/1`` of losses, ``primum.bench_scores/1`` of confidence scores).
        images: the folder the paths of the cases point into; no file outside it is read. Without it the
            worst cases are named, not shown.
        maps: the folder of the table that ``primum explain`` wrote, for the pictures of its maps.

    Returns:
        The HTML text; the same audit and pictures always give the same text.

    Raises:
        InputError: when the schema is none of these.
    """
    schema = audit.get("schema")
    if schema == AUDIT:
        page, name = view.of(content.read(audit), images, maps=maps), "audit"
    elif schema == COMPARISON:
        page, name = comparing.of(audit, images), "comparison"
    elif schema == BENCH:
        page, name = benching.of(audit), "bench"
    elif schema == SCORE_BENCH:
        page, name = score_benching.of(audit), "score-bench"
    else:
        schemas = f"{AUDIT}, {COMPARISON}, {BENCH} or {SCORE_BENCH}"
        raise InputError(f"a report needs schema {schemas}, not {schema!r}")
    template = _environment().get_template("page.html.jinja")
    return template.render(
        kind=name,
        view=page,
        style=_asset("page.css"),
        script=_asset("page.js"),
        plotly=Markup(_plotly()),
        policy=scripting.policy(_plotly(), _asset("page.js")),
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("primum.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _plotly() -> str:
    return str(get_plotlyjs())


@cache
def _asset(name: str) -> Markup:
    return Markup((files("primum.report") / name).read_text(encoding="utf-8"))
