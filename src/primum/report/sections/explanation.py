"""What the network looked at: whether that holds still, can be trusted, and foretells errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
OUTCOMES = {"right": "Right answers", "wrong": "Wrong answers", "critical": "Critical errors"}
AMOUNTS = {
    "turn": "{:+g}°", "right": "{:.0%} to the right", "down": "{:.0%} down", "brightness": "× {:g}",
    "contrast": "× {:g}", "noise": "σ {:g}",
}  # fmt: skip


def of(
    content: Mapping[str, Any], prefix: str, images: Path | None = None, table: Path | None = None
) -> dict[str, Any]:
    """Build the section's view from ``curves.explanation``.

    Args:
        content: as ``curves.explanation.explanation`` gives it.
        prefix: keeps the ids of two audits apart.
        images: folder the paths of the cases are relative to. table: folder of the table, from which the
            pictures of maps are named; looked at first.
    """
    changes = content.get("changes") or []
    untrained = content.get("untrained") or {}
    measured = [(str(one["name"]), one) for one in changes]
    rows = [_row(name, one) for name, one in measured]
    if untrained.get("n"):
        rows.append(_row("untrained network", untrained))
    grid = content.get("grid") or []
    return {
        "id": f"{prefix}explanation",
        "lead": _lead(changes),
        "method": METHODS.get(str(content.get("method")), str(content.get("method"))),
        "layer": content.get("layer"),
        "grid": " × ".join(str(size) for size in grid),
        "cell": words.number(1 / max(grid), "accuracy") if grid else "",
        "n": words.counted(content.get("n")),
        "blank": words.counted(content["blank"], "map", "maps") if content.get("blank") else "",
        "pictures": _pictures([*measured, ("untrained network", untrained)], prefix),
        "heads": list(MEASURES.values()),
        "rows": rows,
        "untrained": _untrained(untrained),
        "lesion": _lesion(content.get("lesion")),
        "outcomes": [_outcome(one) for one in content.get("outcomes") or [] if one["n"]],
        "beyond": [_beyond(one) for one in content.get("beyond") or []],
        "studies": [_study(one, images, table) for one in content.get("studies") or []],
    }


def _lead(changes: Sequence[Mapping[str, Any]]) -> str:
    middles = [one["measures"]["spearman"][1] for one in changes if one["measures"].get("spearman")]
    if not middles:
        return "No map showed anything that could be compared."
    worst = min(changes, key=lambda one: (one["measures"].get("spearman") or (0, 2))[1])
    return (
        f"Under mild changes of the image, half of the maps keep a rank correlation of {min(middles):.2f} or "
        f"more with what they were; the change that moves them most is “{worst['name']}”."
    )


def _pictures(measured: Sequence[tuple[str, Mapping[str, Any]]], prefix: str) -> list[Picture]:
    rows = []
    for name, one in measured:
        quarters = (one.get("measures") or {}).get("spearman")
        if quarters:
            low, middle, high = quarters
            said = f"half of the maps between {low:.2f} and {high:.2f}".replace("-", words.MINUS)
            rows.append(figures.Whisker(name, middle, low, high, said))
    if not rows:
        return []
    figure = figures.dots_and_whiskers(rows, "rank correlation with the map of the unchanged image")
    spoken = "Rank correlation of maps before and after each change, median and quartiles"
    return [pack(figure, f"{prefix}explanation-stability", spoken, "Median and middle half of the maps")]


def _row(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    amounts = [said.format(one[key]) for key, said in AMOUNTS.items() if key in one]
    changed = one.get("answer_changed")
    return {
        "name": words.opening(name),
        "amount": ", ".join(amounts),
        "cells": [_quarters(key, one["measures"].get(key)) for key in MEASURES],
        "changed": words.number(changed, "accuracy") if changed is not None else words.NOTHING,
        "n": words.number(one.get("n"), "n"),
    }


def _quarters(measure: str, quarters: Sequence[float] | None) -> str:
    if not quarters:
        return words.NOTHING
    low, middle, high = (abs(one) for one in quarters) if measure == "shift" else quarters
    low, high = min(low, high), max(low, high)
    digits = 3 if measure == "shift" else 2
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})".replace("-", words.MINUS)


def _untrained(told: Mapping[str, Any]) -> str:
    quarters = (told.get("measures") or {}).get("spearman")
    if not quarters:
        return (
            "An untrained network of this architecture gave no map to compare." if told.get("asked") else ""
        )
    closer, rest = told.get("closer_than_own"), ""
    if closer is not None:
        share = words.number(closer, "accuracy")
        rest = f"; {share} of maps are no closer to themselves after a change than to those"
    middle = f"{quarters[1]:.2f}".replace("-", words.MINUS)
    return (
        f"With the maps of an untrained network of the same architecture these maps have a median rank "
        f"correlation of {middle} on {words.counted(told.get('n'))}{rest}. A high value would mean that they "
        "show the architecture and the edges of the image, not what was learned."
    )


def _lesion(told: Mapping[str, Any] | None) -> str:
    if not told:
        return ""
    energy, area = (words.number(told[key][1], "accuracy") for key in ("energy", "area"))
    low, middle, high = told["focus"]
    return (
        f"On {words.counted(told['n'])} with a lesion mask, the median map puts {energy} of its energy on "
        f"the lesion, while the median lesion fills {area} of the image. Case by case, that is {middle:.1f} "
        f"times what an even map would (half of the maps between {low:.1f} and {high:.1f})."
    )


def _outcome(one: Mapping[str, Any]) -> dict[str, Any]:
    focus = one.get("focus")
    return {
        "name": OUTCOMES[str(one["outcome"])],
        "spearman": _quarters("spearman", one.get("spearman")),
        "focus": f"{focus[1]:.1f} ({focus[0]:.1f} to {focus[2]:.1f})" if focus else words.NOTHING,
        "n": words.number(one["n"], "n"),
    }


def _beyond(one: Mapping[str, Any]) -> dict[str, Any]:
    name = SCORES.get(str(one.get("score")), str(one.get("score")))
    if one.get("value") is None:
        return {"name": words.opening(name), "value": words.NOTHING, "span": "", "said": one.get("why") or ""}
    low, high = one["low"], one["high"]
    says = (
        "foretells errors beyond confidence" if low > 0
        else "makes the ranking of errors worse" if high < 0
        else "these cases cannot tell whether it adds to confidence"
    )  # fmt: skip
    return {
        "name": words.opening(name),
        "value": f"{one['value']:+.3f}".replace("-", words.MINUS),
        "span": f"{low:+.3f} to {high:+.3f}".replace("-", words.MINUS),
        "said": f"{says}; {one.get('why') or ''}".rstrip("; "),
    }


def _study(one: Mapping[str, Any], images: Path | None, table: Path | None) -> dict[str, Any]:
    path, kept, energy = one.get("map_path"), one.get("answer_kept"), one.get("lesion_energy")
    facts = [f"{words.number(one['confidence'], 'accuracy')} sure", f"stability {one['spearman']:.2f}"]
    if kept is not None:
        facts.append(f"answer kept under {words.number(kept, 'accuracy')} of changes")
    if energy is not None:
        share, area = (words.number(one[key], "accuracy") for key in ("lesion_energy", "lesion_area"))
        facts.append(f"{share} of the map on the lesion, {area} of the image")
    return {
        **{key: one.get(key) for key in ("id", "label", "predicted", "critical")},
        "what": words.opening(str(one["what"])),
        "facts": facts,
        "picture": thumbnails.embed(path, table) or thumbnails.embed(path, images),
    }
