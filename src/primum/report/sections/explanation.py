"""What the network looked at: whether that holds still, can be trusted, and foretells errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from primum.judge.sections.explanation import (
    CaseStudy,
    Change,
    ExplanationSection,
    Gain,
    Lesion,
    Outcome,
    Quartiles,
    Untrained,
)
from primum.report import figures, thumbnails, words
from primum.report.pictures import Picture, pack

METHODS = {"grad_cam": "Grad-CAM", "score_cam": "Score-CAM"}
MEASURES = {
    "spearman": "Rank correlation",
    "ssim": "SSIM",
    "iou": "Overlap of hottest tenth",
    "shift": "Centre moved, share of side",
}
SCORES = {
    "stability_spearman": "rank correlation",
    "stability_ssim": "SSIM",
    "stability_iou": "overlap of the hottest tenth",
    "stability_shift": "shift of the centre",
}
UNTRAINED = "untrained network"
OUTCOMES = {"right": "Right answers", "wrong": "Wrong answers", "critical": "Critical errors"}
AMOUNTS = {
    "turn": "{:+g}°", "right": "{:.0%} to the right", "down": "{:.0%} down", "brightness": "× {:g}",
    "contrast": "× {:g}", "noise": "σ {:g}",
}  # fmt: skip


def of(
    section: ExplanationSection, prefix: str, images: Path | None = None, table: Path | None = None
) -> dict[str, object]:
    """Build the view of the section.

    Args:
        section: what ``primum explain`` measured. prefix: keeps the ids of two audits apart.
        images: folder the paths of the cases are relative to. table: folder of the table, from which the
            pictures of maps are named; looked at first.
    """
    untrained, grid = section.untrained, section.grid or []
    rows = [_row(change) for change in section.changes]
    if untrained is not None and untrained.n:
        rows.append(_row(Change(name=UNTRAINED, n=untrained.n, measures=untrained.measures)))
    return {
        "id": f"{prefix}explanation",
        "lead": _lead(section.changes),
        "method": METHODS.get(str(section.method), str(section.method)),
        "layer": section.layer,
        "grid": " × ".join(map(str, grid)),
        "cell": words.number(1 / max(grid), "accuracy") if grid else "",
        "n": words.counted(section.n),
        "blank": words.counted(section.blank, "map", "maps") if section.blank else "",
        "pictures": _pictures(section.changes, untrained, prefix),
        "heads": list(MEASURES.values()),
        "rows": rows,
        "untrained": "" if untrained is None else _untrained(untrained),
        "lesion": "" if section.lesion is None else _lesion(section.lesion),
        "outcomes": [_outcome(outcome) for outcome in section.outcomes if outcome.n],
        "beyond": [_gain(gain) for gain in section.beyond],
        "studies": [_study(study, images, table) for study in section.studies],
    }


def _lead(changes: Sequence[Change]) -> str:
    quarters = {change.name: change.measures.get("spearman") for change in changes}
    medians = {name: quartiles[1] for name, quartiles in quarters.items() if quartiles}
    if not medians:
        return "No map showed anything that could be compared."
    worst = min(medians, key=lambda name: medians[name])
    return (
        f"Under mild changes of the image, half of the maps keep a rank correlation of "
        f"{medians[worst]:.2f} or more with what they were; the change that moves them most is “{worst}”."
    )


def _pictures(changes: Sequence[Change], untrained: Untrained | None, prefix: str) -> list[Picture]:
    measured = [(change.name, change.measures) for change in changes]
    if untrained is not None:
        measured.append((UNTRAINED, untrained.measures))
    rows = []
    for name, measures in measured:
        quarters = measures.get("spearman")
        if quarters:
            low, middle, high = quarters
            text = f"half of the maps between {low:.2f} and {high:.2f}".replace("-", words.MINUS)
            rows.append(figures.Whisker(name, middle, low, high, text))
    if not rows:
        return []
    figure = figures.dots_and_whiskers(rows, "rank correlation with the map of the unchanged image")
    alt = "Rank correlation of maps before and after each change, median and quartiles"
    return [pack(figure, f"{prefix}explanation-stability", alt, "Median and middle half of the maps")]


def _row(change: Change) -> dict[str, object]:
    amounts = {name: getattr(change, name) for name in AMOUNTS}
    return {
        "name": words.opening(change.name),
        "amount": ", ".join(
            AMOUNTS[name].format(amount) for name, amount in amounts.items() if amount is not None
        ),
        "cells": [_quarters(name, change.measures.get(name)) for name in MEASURES],
        "changed": words.number(change.answer_changed, "accuracy"),
        "n": words.number(change.n, "n"),
    }


def _quarters(measure: str, quarters: Quartiles | None) -> str:
    if not quarters:
        return words.NOTHING
    low, middle, high = (abs(value) for value in quarters) if measure == "shift" else quarters
    low, high = min(low, high), max(low, high)
    digits = 3 if measure == "shift" else 2
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})".replace("-", words.MINUS)


def _untrained(untrained: Untrained) -> str:
    quarters = untrained.measures.get("spearman")
    if not quarters:
        if not untrained.attempts:
            return ""
        return "An untrained network of this architecture gave no map to compare."
    closer = ""
    if untrained.closer_than_own is not None:
        share = words.number(untrained.closer_than_own, "accuracy")
        closer = f"; {share} of maps are no closer to themselves after a change than to those"
    median = f"{quarters[1]:.2f}".replace("-", words.MINUS)
    return (
        f"With the maps of an untrained network of the same architecture these maps have a median rank "
        f"correlation of {median} on {words.counted(untrained.n)}{closer}. A high value would mean that they "
        "show the architecture and the edges of the image, not what was learned."
    )


def _lesion(lesion: Lesion) -> str:
    energy, area = (words.number(quarters[1], "accuracy") for quarters in (lesion.energy, lesion.area))
    low, middle, high = lesion.focus
    return (
        f"On {words.counted(lesion.n)} with a lesion mask, the median map puts {energy} of its energy on "
        f"the lesion, while the median lesion fills {area} of the image. Case by case, that is {middle:.1f} "
        f"times what an even map would (half of the maps between {low:.1f} and {high:.1f})."
    )


def _outcome(outcome: Outcome) -> dict[str, str]:
    focus = outcome.focus
    return {
        "name": OUTCOMES[outcome.outcome],
        "spearman": _quarters("spearman", outcome.spearman),
        "focus": f"{focus[1]:.1f} ({focus[0]:.1f} to {focus[2]:.1f})" if focus else words.NOTHING,
        "n": words.number(outcome.n, "n"),
    }


def _gain(gain: Gain) -> dict[str, str]:
    name = words.opening(SCORES.get(str(gain.score), str(gain.score)))
    if gain.value is None or gain.low is None or gain.high is None:
        return {"name": name, "value": words.NOTHING, "span": "", "meaning": gain.why}
    meaning = (
        "foretells errors beyond confidence" if gain.low > 0
        else "makes the ranking of errors worse" if gain.high < 0
        else "these cases cannot tell whether it adds to confidence"
    )  # fmt: skip
    return {
        "name": name,
        "value": f"{gain.value:+.3f}".replace("-", words.MINUS),
        "span": f"{gain.low:+.3f} to {gain.high:+.3f}".replace("-", words.MINUS),
        "meaning": f"{meaning}; {gain.why}".rstrip("; "),
    }


def _study(study: CaseStudy, images: Path | None, table: Path | None) -> dict[str, object]:
    facts = [f"{words.number(study.confidence, 'accuracy')} sure", f"stability {study.spearman:.2f}"]
    if study.answer_kept is not None:
        facts.append(f"answer kept under {words.number(study.answer_kept, 'accuracy')} of changes")
    if study.lesion_energy is not None:
        share, area = (words.number(value, "accuracy") for value in (study.lesion_energy, study.lesion_area))
        facts.append(f"{share} of the map on the lesion, {area} of the image")
    return {
        "id": study.id,
        "label": study.label,
        "predicted": study.predicted,
        "critical": study.critical,
        "title": words.opening(study.title),
        "facts": facts,
        "picture": thumbnails.embed(study.map_path, table) or thumbnails.embed(study.map_path, images),
    }
