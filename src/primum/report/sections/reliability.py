"""Is 87 % confidence 87 % accuracy: of the answer, of every class, of every group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from primum.judge.finding import Finding
from primum.judge.sections.reliability import Bin, Diagram
from primum.report import figures, tables, words
from primum.report.content import Content
from primum.report.pictures import Picture, pack
from primum.report.tables import Table

ERROR_CODES = ("ece", "ece_equal_mass", "classwise_ece", "debiased_calibration_error", "skce")
SCORE_CODES = ("nll", "brier", "root_brier")
MOST_GROUPS = 24  # small pictures of one column
TONES = ("#d98e04", figures.BLUE)  # as supplied, in use
WIDE, HIGH, LEFT, BOTTOM, STRIP = 160.0, 172.0, 30.0, 18.0, 24.0


@dataclass(frozen=True)
class Multiple:
    """Small pictures of all classes, or of the groups of one column. hidden: how many are not drawn."""

    name: str
    pictures: Sequence[dict[str, object]]
    hidden: int


def of(content: Content, prefix: str) -> dict[str, object]:
    """Build the section's view; ``prefix`` keeps the ids of two audits on one page apart."""
    settings, findings = content.settings, content.overall
    used = settings.states
    diagrams = [diagram for diagram in content.sections.reliability if diagram.bins]
    answers = [diagram for diagram in diagrams if diagram.group == "all" and diagram.label is None]
    classes: dict[str, list[Diagram]] = {}
    for diagram in diagrams:
        if diagram.group == "all" and diagram.label is not None:
            classes.setdefault(diagram.label, []).append(diagram)
    pictures = [_multiple(name, states, by_class=True) for name, states in classes.items()]
    multiples = [Multiple("By class", pictures, len(settings.classes) - len(pictures))]
    multiples += [_by_column(diagrams, column) for column in settings.by]
    return {
        "id": f"{prefix}calibration",
        "level": words.level(settings.level),
        "pictures": [
            _picture(diagram, f"{prefix}reliability-{diagram.state}")
            for diagram in answers
            if diagram.state in used
        ],
        "errors": _table(findings, ERROR_CODES, settings.limits),
        "scores": _table(findings, SCORE_CODES, settings.limits),
        "notes": _notes(findings, used),
        "multiples": [multiple for multiple in multiples if multiple.pictures],
        "key": [
            (tone, words.calibrated(name))
            for tone, name in zip(TONES[-len(used) :], sorted(used, key="none".__ne__), strict=True)
        ],
        "bins": [_numbers(diagram) for diagram in answers],
    }


def _by_column(diagrams: Sequence[Diagram], column: str) -> Multiple:
    groups: dict[str, list[Diagram]] = {}
    for diagram in diagrams:
        if diagram.group.startswith(f"{column}=") and diagram.label is None:
            groups.setdefault(diagram.group.removeprefix(f"{column}="), []).append(diagram)
    pictures = [_multiple(name, states, by_class=False) for name, states in groups.items()]
    return Multiple(f"By {column}", pictures[:MOST_GROUPS], max(0, len(pictures) - MOST_GROUPS))


def _picture(diagram: Diagram, name: str) -> Picture:
    state = words.calibrated(diagram.state)
    alt = f"Reliability diagram, probabilities {state}: accuracy against confidence"
    return pack(figures.reliability(diagram.bins), name, alt, f"Probabilities {state}")


def _table(findings: Sequence[Finding], codes: Sequence[str], limits: tables.Limits) -> Table:
    return tables.tabulate(findings, lambda finding: words.opening(_state(finding)), codes, limits)


def _state(finding: Finding) -> str:
    return words.calibrated(finding.calibrated or "none")


def _notes(findings: Sequence[Finding], used: set[str]) -> list[str]:
    """What stands beside the errors of the probabilities in use: the level by chance, the p-value."""
    return [
        f"{words.label(finding)}, probabilities {_state(finding)}: {finding.why}"
        for code in ERROR_CODES
        for finding in findings
        if finding.code == code and (finding.calibrated or "none") in used
        if finding.value is not None and finding.why
    ]


def _multiple(name: str, states: Sequence[Diagram], *, by_class: bool) -> dict[str, object]:
    """One small picture of a class or group, its states in it one over the other."""
    bins = states[0].bins
    n = words.number(sum(bin.n for bin in bins), "n")
    members = words.number(sum(bin.n * bin.accuracy for bin in bins), "n")
    return {
        "name": name,
        "n": f"{members} of {n}" if by_class else f"n = {n}",
        "svg": small(states, f"{name}: share that was right against what was said"),
        "states": [_numbers(state) for state in states],
    }


def _numbers(diagram: Diagram) -> dict[str, object]:
    return {"name": words.calibrated(diagram.state), "rows": [_row(bin) for bin in diagram.bins]}


def _row(bin: Bin) -> dict[str, str]:
    return {
        "low": words.number(bin.low, "accuracy"),
        "high": words.number(bin.high, "accuracy"),
        "confidence": words.number(bin.confidence, "accuracy"),
        "accuracy": words.number(bin.accuracy, "accuracy"),
        "span": words.span("accuracy", bin.accuracy_low, bin.accuracy_high),
        "n": words.number(bin.n, "n"),
    }


def small(states: Sequence[Diagram], alt: str) -> Markup:
    """Draw one small reliability diagram as SVG: points, their intervals, and the cases of each bin below.

    Args:
        states: one or two, as supplied first.
        alt: what the picture shows, for readers who do not see it.
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
    for at, tick in ((0, "0"), (0.5, "50"), (1, "100 %")):
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
                x(at), f"{HIGH - 5:.1f}", ("start", "middle", "end")[int(2 * at)], tick
            )
        )
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                f"{LEFT - 4:.1f}", f"{float(y(at)) + 3.5:.1f}", tick.removesuffix(" %")
            )
        )
    largest = max(bin.n for bin in states[-1].bins)
    for bin in states[-1].bins:
        # on a square-root scale, or bins of few cases could not be seen
        tall = STRIP * (bin.n / largest) ** 0.5
        parts.append(
            Markup('<rect x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="#a9c3d6"/>').format(
                x(bin.low), base - tall, side * (bin.high - bin.low) - 1, tall
            )
        )
    for tone, state in zip(TONES[-len(states) :], states, strict=True):
        for bin in state.bins:
            place = x(bin.confidence)
            low, high = (
                bin.accuracy if end is None else end for end in (bin.accuracy_low, bin.accuracy_high)
            )
            parts.append(
                Markup('<line x1="{0}" x2="{0}" y1="{1}" y2="{2}" stroke="{3}" stroke-opacity=".6"/>').format(
                    place, y(low), y(high), tone
                )
            )
            parts.append(
                Markup('<circle cx="{}" cy="{}" r="2.6" fill="{}"><title>{}</title></circle>').format(
                    place, y(bin.accuracy), tone, _title(bin)
                )
            )
    style = f"display:block;width:100%;max-width:{WIDE * 1.6:.0f}px;height:auto"
    return Markup(
        '<svg viewBox="0 0 {:.0f} {:.0f}" style="{}" font-size="9.5" fill="{}" role="img" aria-label="{}">{}'
        "</svg>"
    ).format(WIDE, HIGH, style, figures.SOFT, alt, Markup("").join(parts))


def _title(bin: Bin) -> str:
    row = _row(bin)
    return f"said {row['confidence']}, came {row['accuracy']} ({row['span']}), n = {row['n']}"
