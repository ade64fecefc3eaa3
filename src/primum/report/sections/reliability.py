"""Is 87 % confidence 87 % accuracy: of the answer, of every class, of every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from primum.judge.metrics.table import codes
from primum.report import figures, tables, words
from primum.report.pictures import Picture, pack
from primum.report.words import Finding

ERROR_CODES = codes("calibration")
SCORE_CODES = codes("proper_scores")
MOST_GROUPS = 24  # small pictures of one column
TONES = ("#d98e04", figures.BLUE)  # as supplied, in use
WIDE, HIGH, LEFT, BOTTOM, STRIP = 160.0, 172.0, 30.0, 18.0, 24.0


def of(audit: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Build the section's view from ``curves.reliability``, the findings and the settings of an audit.

    ``prefix`` keeps the ids of two audits on one page apart.
    """
    given, curves = audit.get("settings") or {}, audit.get("curves") or {}
    entries = [one for one in curves.get("reliability") or [] if one.get("bins")]
    answers = [one for one in entries if _group(one) == "all" and one.get("class") is None]
    used = {"none", str(given.get("recalibrator") or "none")}
    mine = [one for one in audit.get("findings") or [] if _group(one) == "all"]
    classes = list(given.get("classes") or [])
    by_class = _multiples(
        [one for one in entries if _group(one) == "all" and one.get("class") is not None], "class"
    )
    by_group = [
        {"name": f"By {column}", **_some(_multiples(_members(entries, column), "group", f"{column}="))}
        for column in given.get("by") or []
    ]
    return {
        "id": f"{prefix}calibration",
        "level": words.level(given),
        "pictures": [
            _picture(one, f"{prefix}reliability-{_state(one)}") for one in answers if _state(one) in used
        ],
        "errors": _table(mine, ERROR_CODES, given),
        "scores": _table(mine, SCORE_CODES, given),
        "notes": _notes(mine, used),
        "multiples": [{"name": "By class", "pictures": by_class, "hidden": len(classes) - len(by_class)}]
        * bool(by_class)
        + [one for one in by_group if one["pictures"]],
        "key": [
            (tone, words.calibrated(name))
            for tone, name in zip(TONES[-len(used) :], sorted(used, key="none".__ne__), strict=True)
        ],
        "bins": [
            {"name": words.calibrated(_state(one)), "rows": [_row(bin) for bin in one["bins"]]}
            for one in answers
        ],
    }


def _group(one: Mapping[str, Any]) -> str:
    return str(one.get("group") or "all")


def _state(one: Mapping[str, Any]) -> str:
    return str(one.get("calibrated") or "none")


def _members(entries: Sequence[Mapping[str, Any]], column: str) -> list[Mapping[str, Any]]:
    return [one for one in entries if _group(one).startswith(f"{column}=") and one.get("class") is None]


def _some(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    return {"pictures": pictures[:MOST_GROUPS], "hidden": max(0, len(pictures) - MOST_GROUPS)}


def _picture(entry: Mapping[str, Any], name: str) -> Picture:
    said = words.calibrated(_state(entry))
    spoken = f"Reliability diagram, probabilities {said}: accuracy against confidence"
    return pack(figures.reliability(entry["bins"]), name, spoken, f"Probabilities {said}")


def _table(findings: Sequence[Finding], codes: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    mine = [one for one in findings if one.get("code") in codes]
    return tables.laid_out(
        mine, lambda one: words.opening(words.calibrated(_state(one))), codes, given.get("limits")
    )


def _notes(findings: Sequence[Finding], used: set[str]) -> list[str]:
    """What stands beside the errors of the probabilities in use: the level by chance, the p-value."""
    return [
        f"{words.label(one)}, probabilities {words.calibrated(_state(one))}: {one['why']}"
        for code in ERROR_CODES
        for one in findings
        if one.get("code") == code and _state(one) in used and one.get("value") is not None and one.get("why")
    ]


def _multiples(entries: Sequence[Mapping[str, Any]], key: str, strip: str = "") -> list[dict[str, Any]]:
    """One small picture for each class or group, its states in it one over the other."""
    members: dict[str, list[Mapping[str, Any]]] = {}
    for one in entries:
        members.setdefault(str(one[key]).removeprefix(strip), []).append(one)
    made = []
    for name, states in members.items():
        n = words.number(sum(bin["n"] for bin in states[0]["bins"]), "n")
        own = words.number(sum(bin["n"] * bin["accuracy"] for bin in states[0]["bins"]), "n")
        made.append(
            {
                "name": name,
                "n": f"{own} of {n}" if key == "class" else f"n = {n}",
                "svg": small(states, f"{name}: share that was right against what was said"),
                "states": [
                    {"name": words.calibrated(_state(one)), "rows": [_row(bin) for bin in one["bins"]]}
                    for one in states
                ],
            }
        )
    return made


def _row(bin: Mapping[str, Any]) -> dict[str, Any]:
    said = {key: words.number(bin[key], "accuracy") for key in ("low", "high", "confidence", "accuracy")}
    span = words.span("accuracy", bin.get("accuracy_low"), bin.get("accuracy_high"))
    return {**said, "span": span, "n": words.number(bin["n"], "n")}


def small(states: Sequence[Mapping[str, Any]], spoken: str) -> Markup:
    """Draw one small reliability diagram as SVG: points, their intervals, and the cases of each bin below.

    Args:
        states: one or two entries of ``curves.reliability``, as supplied first.
        spoken: what the picture shows, for readers who do not see it.
    """
    side, floor = WIDE - LEFT - 8, HIGH - BOTTOM - STRIP - 6

    def x(value: float) -> str:
        return f"{LEFT + side * value:.1f}"

    def y(value: float) -> str:
        return f"{6 + (floor - 6) * (1 - value):.1f}"

    base = HIGH - BOTTOM
    parts = [
        Markup('<line x1="{0}" y1="{1}" x2="{2}" y2="{1}" stroke="{3}"/>').format(
            x(0), y(at), x(1), figures.LINE
        )
        for at in (0, 0.5, 1)
    ]
    parts.append(
        Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-dasharray="2 3"/>').format(
            x(0), y(0), x(1), y(1), figures.SOFT
        )
    )
    for at, said in ((0, "0"), (0.5, "50"), (1, "100 %")):
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
                x(at), f"{HIGH - 5:.1f}", ("start", "middle", "end")[int(2 * at)], said
            )
        )
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                f"{LEFT - 4:.1f}", f"{float(y(at)) + 3.5:.1f}", said.removesuffix(" %")
            )
        )
    most = max(bin["n"] for bin in states[-1]["bins"])
    for bin in states[-1]["bins"]:
        tall = STRIP * (bin["n"] / most) ** 0.5
        parts.append(
            Markup('<rect x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="#a9c3d6"/>').format(
                x(bin["low"]), base - tall, side * (bin["high"] - bin["low"]) - 1, tall
            )
        )
    for tone, one in zip(TONES[-len(states) :], states, strict=True):
        for bin in one["bins"]:
            place = x(bin["confidence"])
            parts.append(
                Markup('<line x1="{0}" x2="{0}" y1="{1}" y2="{2}" stroke="{3}" stroke-opacity=".6"/>').format(
                    place, y(bin["accuracy_low"]), y(bin["accuracy_high"]), tone
                )
            )
            parts.append(
                Markup('<circle cx="{}" cy="{}" r="2.6" fill="{}"><title>{}</title></circle>').format(
                    place, y(bin["accuracy"]), tone, _told(bin)
                )
            )
    style = f"display:block;width:100%;max-width:{WIDE * 1.6:.0f}px;height:auto"
    return Markup(
        '<svg viewBox="0 0 {:.0f} {:.0f}" style="{}" font-size="9.5" fill="{}" role="img" aria-label="{}">{}'
        "</svg>"
    ).format(WIDE, HIGH, style, figures.SOFT, spoken, Markup("").join(parts))


def _told(bin: Mapping[str, Any]) -> str:
    row = _row(bin)
    return f"said {row['confidence']}, came {row['accuracy']} ({row['span']}), n = {row['n']}"
