"""Three middle panels: which classes are confused, what answering only when sure buys, what errors cost."""

from __future__ import annotations

from collections.abc import Sequence

from primum.judge.confidence import SCORES
from primum.judge.finding import Finding
from primum.judge.metrics.table import codes
from primum.judge.sections.overview import Confusion, RiskCoverage, RuleCost
from primum.report import figures, matrix, tables, words
from primum.report.content import Content, Settings
from primum.report.pictures import pack

SELECTIVE_CODES = codes("selective")
FIRST = "msr"  # the score that is read first; what the others are held against
EARLY = tuple(name for name in words.SCORES if SCORES[name].place)
MOST_CURVES = 6
COST_CODES = codes("costs")
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)


def of(content: Content, prefix: str) -> dict[str, object]:
    """Build the panels of one audit from its sections and its findings over all cases."""
    parts, overall, settings = content.sections, content.overall, content.settings
    return {
        "matrices": matrices(parts.confusion, overall, settings),
        "selective": selective(parts.risk_coverage, overall, settings, prefix),
        "cost": cost(parts.cost, overall, settings, prefix),
    }


def matrices(
    confusions: Sequence[Confusion], overall: Sequence[Finding], settings: Settings
) -> list[dict[str, object]]:
    """Lay out one confusion matrix per decision rule."""
    rules = {rule[0]: rule for rule in reversed(tables.rules(overall))}
    return [
        {
            "name": tables.rule_name(rules.get(confusion.decision or "", tables.rule(confusion))),
            "known": bool(settings.critical),
            **matrix.lay_out(confusion.counts, settings.classes, settings.critical),
        }
        for confusion in confusions
        if confusion.group == "all" and confusion.counts
    ]


def selective(
    curves: Sequence[RiskCoverage], overall: Sequence[Finding], settings: Settings, prefix: str
) -> dict[str, object]:
    """Draw the risk that is left when the least confident cases go to a reader."""
    pictures, joint, numbers = [], [], []
    at = settings.operating_coverage
    ordered = sorted((curve for curve in curves if curve.group == "all"), key=_place)
    for residual, title in (("error", "Errors"), ("cost", "Cost of errors")):
        drawable = [curve for curve in ordered if curve.residual == residual and len(curve.coverage)]
        if not drawable:
            continue
        early = drawable[:MOST_CURVES]
        more = f"; {len(drawable) - len(early)} more in numbers below" if len(drawable) > len(early) else ""
        alt = f"{title} against the share of cases answered, one line per confidence score"
        name = f"{prefix}coverage-{residual}"
        pictures.append(pack(figures.risk_coverage(early, at=at), name, alt, title + more))
        if all(len(curve.generalized_risk) == len(curve.coverage) for curve in early):
            figure = figures.risk_coverage(early, joint=True, at=at)
            joint.append(pack(figure, f"{name}-joint", alt + ", per case seen", title + more))
        rows = [
            (
                label,
                [
                    words.number(risk, "accuracy" if residual == "error" else "")
                    for _, risk in tables.at_coverages(curve.coverage, curve.risk, COVERAGES)
                ],
            )
            for label, curve in zip(figures.curve_names(drawable), drawable, strict=True)
        ]
        heads = [words.number(share, "accuracy") for share in COVERAGES]
        numbers.append({"name": title, "columns": heads, "rows": rows})
    return {
        "pictures": pictures,
        "joint": joint,
        "read": numbers,
        "at": at and words.number(at, "accuracy"),
        **_score_tables(overall, settings),
    }


def _score_tables(overall: Sequence[Finding], settings: Settings) -> dict[str, object]:
    """Lay out the findings on confidence scores: the first score, every score, and why some are missing."""
    scored = [finding for finding in overall if finding.score and finding.code in SELECTIVE_CODES]
    valued = {_score(finding) for finding in scored if finding.value is not None}
    judged = [finding for finding in scored if _score(finding) in valued] if valued else scored
    several = len({tables.rule(finding) for finding in judged}) > 1

    def row(finding: Finding) -> str:
        rule = tables.short_name(tables.rule(finding)) if several else ""
        return f"{finding.score} · {rule}" if rule else _score(finding)

    names = sorted(valued, key=_rank)
    main = [finding for finding in judged if finding.score == FIRST] or judged
    every = sorted(judged, key=lambda finding: _rank(_score(finding)))
    missing = [finding for finding in scored if valued and _score(finding) not in valued]
    return {
        "table": tables.tabulate(main, row, SELECTIVE_CODES, settings.limits),
        "every": tables.tabulate(every, row, SELECTIVE_CODES, settings.limits),
        "several": len(names) > 1,
        "missing": _missing(missing),
        "known": "; ".join(f"{name}: {words.SCORES[name]}" for name in names if name in words.SCORES),
    }


def _score(finding: Finding) -> str:
    return finding.score or ""


def _rank(score: str) -> tuple[int, str]:
    """Place of a score: the one read first, those most unlike it, then all others by name."""
    return (EARLY.index(score) if score in EARLY else len(EARLY)), score


def _place(curve: RiskCoverage) -> tuple[bool, bool, tuple[int, str]]:
    """Place of a curve: the first score of every rule, then all scores of the main rule."""
    return curve.score != FIRST, curve.decision != "argmax", _rank(curve.score)


def _missing(findings: Sequence[Finding]) -> list[str]:
    """Scores that do not apply, once for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for finding in findings:
        reasons.setdefault(finding.why or "no reason given", {})[_score(finding)] = None
    return [f"{', '.join(names)}: {why}" for why, names in reasons.items()]


def cost(
    costs: Sequence[RuleCost], overall: Sequence[Finding], settings: Settings, prefix: str
) -> dict[str, object]:
    """Draw the mean cost per case under each decision rule."""
    rows = []
    for entry in costs:
        if entry.value is not None:
            span = words.span("", entry.low, entry.high)
            text = words.number(entry.value) + (f" ({span})" if span else "")
            name = words.opening(tables.short_name(tables.rule(entry)))
            rows.append(figures.Whisker(name, entry.value, entry.low, entry.high, text))
    unit = settings.severity and settings.severity.unit
    caption = f"Mean cost per case; unit: {unit}" if unit else "Mean cost per case"
    alt = "Mean cost per case under each decision rule, with intervals"
    figure = figures.dots_and_whiskers(rows, "mean cost per case")
    judged = [finding for finding in overall if finding.decision is not None]
    priced = tables.present(judged, COST_CODES[:2])
    table = tables.tabulate(
        judged if priced else [],
        lambda finding: words.opening(tables.rule_name(tables.rule(finding))),
        COST_CODES,
        settings.limits,
    )
    return {
        "pictures": [pack(figure, f"{prefix}cost-rules", alt, caption)] if rows else [],
        "table": table,
    }
