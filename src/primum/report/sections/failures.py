"""Why answers were wrong: how many failures of each kind, case studies, and the evidence behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from primum.report import figures, thumbnails, words
from primum.report.pictures import Picture, pack

STUDIES = 3
UNDETERMINED = "undetermined"
MEANING = {
    "clinical_ambiguity": "The picture can be read either way: the model hesitated between look-alikes.",
    "annotation_noise": "Everything but the label points to the answer: the label may be wrong.",
    "model_blindness": "The model was sure, of a kind of case it hardly met in training.",
    "spurious_feature": "The answer follows something beside the lesion, such as a marker.",
    UNDETERMINED: "No kind stands out clearly from the next one, so none is named.",
}
SOURCES = {
    "close_call": "how nearly label and answer were equally probable",
    "neighbouring_mass": "probability left to classes that look alike",
    "split_members": "members split between label and answer",
    "mixed_neighbourhood": "mixed labels among the most alike cases",
    "label_unlikely": "how improbable the model finds the label",
    "confident_learning": "confident learning (cleanlab)",
    "members_against_label": "members that all speak against the label",
    "neighbours_against_label": "alike cases that speak against the label",
    "sureness": "how little the label was considered",
    "far_from_training": "distance from the training cases",
    "unsupported_region": "alike cases missed together, without training cases of their label",
    "tied_to_column": "answers tied to a metadata column",
    "off_lesion": "map energy off the lesion",
}


def of(content: Mapping[str, Any], prefix: str, images: Path | None = None) -> dict[str, Any]:
    """Build the view of the section from ``curves.failures``.

    Args:
        content: as ``curves.failures`` of an audit holds it.
        prefix: keeps the ids of two audits apart.
        images: the folder that the paths of the cases are relative to.
    """
    kinds, rows = list(content.get("categories") or []), list(content.get("rows") or [])
    total = int(content.get("failures") or 0)
    sources = list(content.get("evidence") or [])
    names = {str(kind["category"]): str(kind["name"]) for kind in kinds}
    return {
        "id": f"{prefix}failures",
        "lead": _lead(kinds, total, content.get("n")),
        "pictures": [_bars(kinds, f"{prefix}failures-kinds")] if total else [],
        "kinds": [_kind(kind, rows, images) for kind in kinds if kind["n"]] if total else [],
        "none": [str(kind["name"]) for kind in kinds if not kind["n"]] if total else [],
        "used": [SOURCES.get(str(one["name"]), str(one["name"])) for one in sources if one["used"]],
        "missing": [
            f"{words.opening(SOURCES.get(str(one['name']), str(one['name'])))}: {one['why_not']}"
            for one in sources
            if not one["used"]
        ],
        "pulls": [_pull(one) for one in content.get("pulls") or []],
        "left_out": [f"{one['column']}: {one['why']}" for one in content.get("columns_left_out") or []],
        "rows": [_row(row, names) for row in rows],
        "hidden": total - len(rows),
        "heads": [words.opening(name) for key, name in names.items() if key != UNDETERMINED],
    }


def _lead(kinds: Sequence[Mapping[str, Any]], total: int, n: int | None) -> str:
    if not total:
        return f"None of {words.counted(n)} was answered wrongly."
    named = sum(int(kind["n"]) for kind in kinds if kind["category"] != UNDETERMINED)
    much = words.number(named, "n") if named else "none"
    return (
        f"Of {words.counted(total, 'wrong answer', 'wrong answers')}, {much} "
        f"{'shows' if named == 1 else 'show'} the marks of one kind of failure clearly enough to name it."
    )


def _bars(kinds: Sequence[Mapping[str, Any]], name: str) -> Picture:
    """Draw the number of failures of each kind, its critical ones filled in red."""
    figure = figures.blank(84 + 52 * len(kinds), barmode="stack", bargap=0.55)
    titles = [figures.plain(words.opening(str(kind["name"])), 60) for kind in kinds]
    critical = [int(kind["critical"]) for kind in kinds]
    other = [int(kind["n"]) - part for kind, part in zip(kinds, critical, strict=True)]
    places = list(range(len(kinds)))
    for said, values, colour in (
        ("critical errors", critical, figures.CRITICAL), ("other wrong answers", other, figures.BLUE),
    ):  # fmt: skip
        if any(values):
            figure.add_trace(
                go.Bar(
                    x=values, y=places, orientation="h", name=said, marker={"color": colour},
                    hovertemplate="%{x} " + said + "<extra></extra>",
                )
            )  # fmt: skip
    for at, (title, kind) in enumerate(zip(titles, kinds, strict=True)):
        figure.add_annotation(
            text=f"{title}: {kind['n']}", xref="paper", x=0, xanchor="left", y=at, yanchor="bottom",
            yshift=11, showarrow=False, font={"size": 12.5},
        )  # fmt: skip
    figure.update_xaxes(title_text="wrong answers", rangemode="tozero")
    figure.update_yaxes(range=[len(kinds) - 0.5, -0.85], visible=False)
    figure.update_layout(margin={"l": 8, "t": 30, "b": 48}, showlegend=any(critical))
    return pack(figure, name, "Wrong answers by kind of failure")


def _kind(kind: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], images: Path | None) -> dict[str, Any]:
    name, n = str(kind["category"]), int(kind["n"])
    span = words.span("accuracy", kind.get("low"), kind.get("high"))
    critical = f", {words.number(kind['critical'], 'n')} of them critical" if kind["critical"] else ""
    return {
        "name": words.opening(str(kind["name"])),
        "said": f"{words.counted(n, 'failure', 'failures')}{critical}: "
        f"{words.number(kind.get('share'), 'accuracy')} of all ({span}).",
        "meaning": MEANING.get(name, ""),
        "advice": str(kind.get("advice") or ""),
        "studies": [_study(row, images) for row in rows if row["category"] == name][:STUDIES],
    }


def _study(row: Mapping[str, Any], images: Path | None) -> dict[str, Any]:
    return {
        **{key: row.get(key) for key in ("id", "label", "predicted", "critical")},
        "sentence": words.opening(str(row["sentence"])),
        "confidence": words.number(row.get("confidence"), "accuracy"),
        "picture": thumbnails.embed(row.get("path"), images),
    }


def _pull(one: Mapping[str, Any]) -> str:
    more = f"{100 * one['excess']:.1f}"
    p = "below 0.001" if one["p"] < 0.001 else f"{one['p']:.3f}"
    return (
        f"{one['column']} = {one['value']} ({words.counted(one['rows'])}) draws answers to {one['towards']}: "
        f"{more} more in 100 cases than in others of the same true class (adjusted p {p})."
    )


def _row(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    scores = row.get("evidence") or {}
    return {
        **{key: row.get(key) for key in ("id", "label", "predicted", "critical")},
        "sentence": words.opening(str(row["sentence"])),
        "confidence": words.number(row.get("confidence"), "accuracy"),
        "kind": names.get(str(row["category"]), str(row["category"])),
        "scores": [f"{scores.get(key, 0):.2f}" for key in names if key != UNDETERMINED],
    }
