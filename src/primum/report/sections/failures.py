"""Why answers were wrong: how many failures of each kind, case studies, and the evidence behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go

from primum.judge.sections.failures import ColumnPull, Failure, FailuresSection, Kind, Source
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


def of(section: FailuresSection, prefix: str, images: Path | None = None) -> dict[str, object]:
    """Build the view of the section.

    Args:
        section: the failures by kind. prefix: keeps the ids of two audits apart.
        images: the folder that the paths of the cases are relative to.
    """
    kinds, rows, total = section.categories, section.rows, section.failures
    names = {kind.category: kind.name for kind in kinds}
    missing = [source for source in section.evidence if not source.used]
    return {
        "id": f"{prefix}failures",
        "lead": _lead(kinds, total, section.n),
        "pictures": [_bars(kinds, f"{prefix}failures-kinds")] if total else [],
        "kinds": [_kind(kind, rows, images) for kind in kinds if kind.n] if total else [],
        "none": [kind.name for kind in kinds if not kind.n] if total else [],
        "used": [_source(source) for source in section.evidence if source.used],
        "missing": [f"{words.opening(_source(source))}: {source.why_not}" for source in missing],
        "pulls": [_pull(pull) for pull in section.pulls],
        "left_out": [f"{column.column}: {column.why}" for column in section.columns_left_out],
        "rows": [_row(row, names) for row in rows],
        "hidden": total - len(rows),
        "heads": [words.opening(name) for key, name in names.items() if key != UNDETERMINED],
    }


def _source(source: Source) -> str:
    return SOURCES.get(source.name, source.name)


def _lead(kinds: Sequence[Kind], total: int, n: int) -> str:
    if not total:
        return f"None of {words.counted(n)} was answered wrongly."
    named = sum(kind.n for kind in kinds if kind.category != UNDETERMINED)
    count = words.number(named, "n") if named else "none"
    return (
        f"Of {words.counted(total, 'wrong answer', 'wrong answers')}, {count} "
        f"{'shows' if named == 1 else 'show'} the marks of one kind of failure clearly enough to name it."
    )


def _bars(kinds: Sequence[Kind], name: str) -> Picture:
    """Draw the number of failures of each kind, its critical ones filled in red."""
    figure = figures.blank(84 + 52 * len(kinds), barmode="stack", bargap=0.55)
    critical = [kind.critical for kind in kinds]
    harmless = [kind.n - kind.critical for kind in kinds]
    for title, values, colour in (
        ("critical errors", critical, figures.CRITICAL), ("other wrong answers", harmless, figures.BLUE),
    ):  # fmt: skip
        if any(values):
            figure.add_trace(
                go.Bar(
                    x=values, y=list(range(len(kinds))), orientation="h", name=title,
                    marker={"color": colour}, hovertemplate="%{x} " + title + "<extra></extra>",
                )
            )  # fmt: skip
    for place, kind in enumerate(kinds):
        title = figures.plain(words.opening(kind.name), 60)
        figure.add_annotation(
            text=f"{title}: {kind.n}", xref="paper", x=0, xanchor="left", y=place, yanchor="bottom",
            yshift=11, showarrow=False, font={"size": 12.5},
        )  # fmt: skip
    figure.update_xaxes(title_text="wrong answers", rangemode="tozero")
    figure.update_yaxes(range=[len(kinds) - 0.5, -0.85], visible=False)
    figure.update_layout(margin={"l": 8, "t": 30, "b": 48}, showlegend=any(critical))
    return pack(figure, name, "Wrong answers by kind of failure")


def _kind(kind: Kind, rows: Sequence[Failure], images: Path | None) -> dict[str, object]:
    span = words.span("accuracy", kind.low, kind.high)
    critical = f", {words.number(kind.critical, 'n')} of them critical" if kind.critical else ""
    return {
        "name": words.opening(kind.name),
        "count": f"{words.counted(kind.n, 'failure', 'failures')}{critical}: "
        f"{words.number(kind.share, 'accuracy')} of all ({span}).",
        "meaning": MEANING.get(kind.category, ""),
        "advice": kind.advice,
        "studies": [_study(row, images) for row in rows if row.category == kind.category][:STUDIES],
    }


def _case(row: Failure) -> dict[str, object]:
    return {
        "id": row.id,
        "label": row.label,
        "predicted": row.predicted,
        "critical": row.critical,
        "sentence": words.opening(row.sentence),
        "confidence": words.number(row.confidence, "accuracy"),
    }


def _study(row: Failure, images: Path | None) -> dict[str, object]:
    return {**_case(row), "picture": thumbnails.embed(row.path, images)}


def _pull(pull: ColumnPull) -> str:
    p = "below 0.001" if pull.p < 0.001 else f"{pull.p:.3f}"
    return (
        f"{pull.column} = {pull.value} ({words.counted(pull.rows)}) draws answers to {pull.towards}: "
        f"{100 * pull.excess:.1f} more in 100 cases than in others of the same true class (adjusted p {p})."
    )


def _row(row: Failure, names: Mapping[str, str]) -> dict[str, object]:
    return {
        **_case(row),
        "kind": names.get(row.category, row.category),
        "scores": [f"{row.evidence.get(key, 0):.2f}" for key in names if key != UNDETERMINED],
    }
