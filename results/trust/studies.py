"""The page of case studies: three cases for every stage, with pictures and what was seen of them."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pipeline import Member, Pipeline, plain

from primum.auditing.preparation import codes
from primum.judge.recalibration.recalibrate import choose
from primum.predictions import Predictions

THREE = 3
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; background: #fbfaf8; margin: 0 auto;
       max-width: 1180px; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .2rem; }
p { max-width: 75ch; } .rule { color: #5a6673; margin-top: 0; }
.three { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; background: #fff; border: 1px solid #e3e0da; border-radius: 8px; overflow: hidden; }
img { width: 100%; display: block; background: #000; }
figcaption { padding: .7rem .9rem .9rem; } b { display: block; }
.fatal { color: #b3261e; } small { color: #5a6673; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Study:
    """One case: its row, what is told of it, and its picture (a path, or none there)."""

    row: int
    said: str
    picture: Path


@dataclass(frozen=True)
class Stage:
    """Three cases of a stage, and the rule that picked them."""

    title: str
    rule: str
    table: Predictions
    studies: Sequence[Study]


def page(found: Pipeline, root: Path, out: Path) -> str:
    """The whole page, one offline HTML file; pictures are inside it."""
    matrix = found.severity.ordered(found.answers.classes, "severity")
    parts = [
        f"<h1>{html.escape(found.task.title)}: three cases for every stage</h1>",
        "<p>Each rule picks its cases from the official test images by what the networks said, never by "
        "how the case looks. Pictures with a map show the network's input on the left and, over it on "
        "the right, what spoke for its answer: yellow is the most.</p>",
    ]
    for stage in stages(found, root, out):
        parts.append(f"<h2>{html.escape(stage.title)}</h2><p class='rule'>{html.escape(stage.rule)}</p>")
        cards = [_card(stage.table, study, matrix.critical) for study in stage.studies]
        parts.append(f"<div class='three'>{''.join(cards)}</div>" if cards else "<p>No such case.</p>")
    head = (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
    )
    title = html.escape(found.task.title)
    return f"{head}<title>{title}</title><style>{STYLE}</style>{''.join(parts)}</html>"


def stages(found: Pipeline, root: Path, out: Path) -> Iterator[Stage]:
    """Every stage with its three cases."""
    first, second = found.members[:2]
    critical = found.severity.ordered(first.test.classes, "severity").critical
    fatal = critical[first.test.labels, first.test.predicted]
    sure = first.test.probs.max(axis=1)
    yield _stage(
        "1 · Baseline", f"Critical errors of {first.name}, the most confident first.", first.test,
        _first(fatal, sure), lambda row: f"confidence {sure[row]:.0%}", _plain(first.test, root),
    )  # fmt: skip
    rescued = ~first.test.correct & second.test.correct
    yield _stage(
        "2 · A second network",
        f"{first.name} wrong and {second.name} right, the most confident errors first.",
        first.test, _first(rescued, sure),
        lambda row: f"{first.name} {sure[row]:.0%} sure; {second.name} gives the true class "
        f"{second.test.probs[row, second.test.labels[row]]:.0%}",
        _plain(first.test, root),
    )  # fmt: skip
    yield _calibration(first, root)
    yield from _doubt(second, root)
    yield from _maps(second, out)
    yield _kinds(found, first, root)
    yield from _deferral(found, root)


def _calibration(member: Member, root: Path) -> Stage:
    test, cal = member.test, member.cal
    chosen = choose(cal.logits, cal.labels, codes(cal.ids if cal.patients is None else cal.patients), 0)
    after = chosen.fitted[chosen.best](test.logits)
    row_of = np.arange(len(test))
    before, now = test.probs.max(axis=1), after[row_of, test.predicted]
    return _stage(
        f"3 · Calibration ({chosen.best})",
        f"Wrong answers of {member.name} whose confidence recalibration lowered most.", test,
        _first(~test.correct, before - now), lambda row: f"{before[row]:.1%} before, {now[row]:.1%} after",
        _plain(test, root),
    )  # fmt: skip


def _doubt(member: Member, root: Path) -> Iterator[Stage]:
    test = member.passes
    mi, sure = -test.scores["mcd_mi"], test.scores["mcd_msr"]
    yield _stage(
        "4 · Dropout",
        f"Answers of {member.name} that fifty thinned networks dispute most (mutual information).",
        test, _first(np.ones(len(test), dtype=bool), mi),
        lambda row: f"mutual information {mi[row]:.3f}, mean confidence {sure[row]:.0%}", _plain(test, root),
    )  # fmt: skip


def _maps(member: Member, out: Path) -> Iterator[Stage]:
    test = member.explained
    drawn = np.array([path is not None for path in test.metadata["map_path"]])
    sure, held = test.probs.max(axis=1), test.scores["stability_spearman"]
    folder = member.maps.parent

    def picture(row: int) -> Path:
        return folder / str(test.metadata["map_path"][row])

    def told(row: int) -> str:
        return f"confidence {sure[row]:.0%}; rank correlation of its maps under mild changes {held[row]:.2f}"

    wrong = ~test.correct & drawn
    yield _stage(
        "5 · What it looked at", f"The most confident errors of {member.name}.", test, _first(wrong, sure),
        told, picture,
    )  # fmt: skip
    yield _stage(
        "6 · Does that hold still?",
        f"Errors of {member.name} whose maps changed most under changes no reader would mind.",
        test, _first(wrong, -held), told, picture,
    )  # fmt: skip


def _kinds(found: Pipeline, member: Member, root: Path) -> Stage:
    """The first failure of each kind that was named, up to three; then the next of the first kind."""
    rows = member.audit.curves["failures"]["rows"]
    place = {case: at for at, case in enumerate(member.test.ids)}
    kinds = dict.fromkeys(row["category"] for row in rows if row["category"] != "undetermined")
    picked = [next(row for row in rows if row["category"] == kind) for kind in kinds][:THREE]
    picked += [row for row in rows if row not in picked and row["category"] in kinds][: THREE - len(picked)]
    said = {place[row["id"]]: f"{row['category'].replace('_', ' ')}: {row['sentence']}" for row in picked}
    return _stage(
        "7 · Why it was wrong",
        f"Failures of {member.name}, one of every kind that was named, as far as they go.",
        member.test, list(said), said.__getitem__, _plain(member.test, root),
    )  # fmt: skip


def _deferral(found: Pipeline, root: Path) -> Iterator[Stage]:
    name, applied = next(iter(found.policies.items()))
    table, accepted = found.answers, applied.decided.accepted
    confidence = plain(table, found.severity).confidence[found.score]
    cost = found.severity.ordered(table.classes, "severity").cost[table.labels, table.predicted]

    def told(row: int) -> str:
        return (
            f"{found.score} {confidence[row]:.3g}, accepted at or above {applied.decided.threshold[row]:.3g}"
        )

    for title, rule, among, by in (
        ("8a · Sent to a reader, rightly", "The costliest errors that are deferred.",
         ~accepted & (cost > 0), cost),
        ("8b · Sent to a reader, needlessly",
         "Right answers that are deferred, the least trusted first: the price.",
         ~accepted & table.correct, -confidence),
        ("8c · What remains", "The costliest errors that are accepted, the most trusted first.",
         accepted & (cost > 0), cost + 1e-6 * np.argsort(np.argsort(confidence))),
    ):  # fmt: skip
        yield _stage(f"{title} ({name})", rule, table, _first(among, by), told, _plain(table, root))


def _first(among: NDArray[np.bool_], by: NDArray[np.float64]) -> list[int]:
    rows = np.flatnonzero(among)
    return rows[np.argsort(-by[rows], kind="stable")][:THREE].tolist()


def _stage(title, rule, table, rows, told, picture) -> Stage:  # type: ignore[no-untyped-def]
    return Stage(title, rule, table, [Study(row, told(row), picture(row)) for row in rows])


def _plain(table: Predictions, root: Path):  # type: ignore[no-untyped-def]
    inside = [folder for folder in (root, *root.iterdir()) if (folder / table.metadata["path"][0]).exists()]
    folder = inside[0]
    return lambda row: folder / str(table.metadata["path"][row])


def _card(table: Predictions, study: Study, critical: NDArray[np.bool_]) -> str:
    label, called = int(table.labels[study.row]), int(table.predicted[study.row])
    names = table.classes
    answer = f"{names[label]}, called {names[called]}" if label != called else f"{names[label]}, rightly"
    fatal = " class='fatal'" if critical[label, called] else ""
    content = study.picture.read_bytes()
    kind = "png" if study.picture.suffix == ".png" else "jpeg"
    data = f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
    case = html.escape(str(table.ids[study.row]))
    return (
        f"<figure><img src='{data}' alt='Case {case}'><figcaption><b{fatal}>{html.escape(answer)}</b>"
        f"{html.escape(study.said)}<br><small>{case}</small></figcaption></figure>"
    )
