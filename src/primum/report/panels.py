"""Three middle panels: which classes are confused, what answering only when sure buys, what errors cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.judge.confidence import SCORES
from primum.judge.metrics.table import codes
from primum.report import figures, matrix, tables, words
from primum.report.pictures import pack
from primum.report.words import Finding

SELECTIVE_CODES = codes("selective")
FIRST = "msr"  # the score that is read first; what the others are held against
DRAWN = tuple(name for name in words.SCORES if SCORES[name].place)
MOST_DRAWN = 6
COST_CODES = codes("costs")
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)


def of(audit: Mapping[str, Any], overall: Sequence[Finding], prefix: str) -> dict[str, Any]:
    """Build the panels of one audit from its curves and its findings over all cases."""
    curves, given = audit.get("curves") or {}, audit.get("settings") or {}
    return {
        "matrices": matrices(curves.get("confusion") or [], overall, given),
        "selective": selective(curves.get("risk_coverage") or [], overall, given, prefix),
        "cost": cost(curves.get("cost") or [], overall, given, prefix),
    }


def _all(curves: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [curve for curve in curves if (curve.get("group") or "all") == "all"]


def matrices(
    curves: Sequence[Mapping[str, Any]], overall: Sequence[Finding], given: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Lay out one confusion matrix per decision rule."""
    classes = [str(name) for name in given.get("classes") or []]
    known = {rule[0]: rule for rule in reversed(tables.rules(overall))}
    return [
        {
            "name": tables.rule_name(known.get(str(curve.get("decision")), tables.rule(curve))),
            "known": bool(given.get("critical")),
            **matrix.lay_out(curve["counts"], classes, given.get("critical") or []),
        }
        for curve in _all(curves)
        if curve.get("counts")
    ]


def selective(
    curves: Sequence[Mapping[str, Any]], overall: Sequence[Finding], given: Mapping[str, Any], prefix: str
) -> dict[str, Any]:
    """Draw the risk that is left when the least confident cases go to a reader."""
    pictures, joint, read = [], [], []
    at = given.get("operating_coverage")
    found = sorted(_all(curves), key=_place)
    for residual, what in (("error", "Errors"), ("cost", "Cost of errors")):
        mine = [one for one in found if (one.get("residual") or "error") == residual and len(one["coverage"])]
        if not mine:
            continue
        shown = mine[:MOST_DRAWN]
        more = f"; {len(mine) - len(shown)} more in numbers below" if len(mine) > len(shown) else ""
        spoken = f"{what} against the share of cases answered, one line per confidence score"
        name = f"{prefix}coverage-{residual}"
        pictures.append(pack(figures.risk_coverage(shown, "risk", at), name, spoken, what + more))
        if all(len(one.get("generalized_risk") or ()) == len(one["coverage"]) for one in shown):
            figure = figures.risk_coverage(shown, "generalized_risk", at)
            joint.append(pack(figure, f"{name}-joint", spoken + ", per case seen", what + more))
        rows = [
            (label, [_point(residual, point) for point in tables.at_coverages(one, COVERAGES)])
            for label, one in zip(figures.curve_names(mine), mine, strict=True)
        ]
        read.append(
            {"name": what, "columns": [words.number(one, "accuracy") for one in COVERAGES], "rows": rows}
        )
    scored = [one for one in overall if one.get("score") and one.get("code") in SELECTIVE_CODES]
    valued = {str(one["score"]) for one in scored if one.get("value") is not None}
    judged = [one for one in scored if str(one["score"]) in valued] if valued else scored
    several = len({(one.get("decision"), one.get("calibrated") or "none") for one in judged}) > 1

    def row(one: Finding) -> str:
        rule = tables.short_name(tables.rule(one)) if several else ""
        return f"{one['score']} · {rule}" if rule else str(one["score"])

    names = sorted(valued, key=_rank)
    limits = given.get("limits")
    main = [one for one in judged if one["score"] == FIRST] or judged
    return {
        "pictures": pictures,
        "joint": joint,
        "read": read,
        "table": tables.laid_out(main, row, SELECTIVE_CODES, limits),
        "every": tables.laid_out(
            sorted(judged, key=lambda one: _rank(str(one["score"]))), row, SELECTIVE_CODES, limits
        ),
        "several": len(names) > 1,
        "missing": _missing([one for one in scored if str(one["score"]) not in valued]) if valued else [],
        "at": at and words.number(at, "accuracy"),
        "known": "; ".join(f"{name}: {words.SCORES[name]}" for name in names if name in words.SCORES),
    }


def _rank(score: str) -> tuple[int, str]:
    """Place of a score: the one read first, those most unlike it, then the rest by name."""
    return (DRAWN.index(score) if score in DRAWN else len(DRAWN)), score


def _place(curve: Mapping[str, Any]) -> tuple[bool, bool, tuple[int, str]]:
    """Place of a curve: the first score of every rule, then all scores of the main rule."""
    score = str(curve.get("score"))
    return score != FIRST, curve.get("decision") != "argmax", _rank(score)


def _missing(findings: Sequence[Finding]) -> list[str]:
    """Scores that do not apply, said once for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for one in findings:
        reasons.setdefault(str(one.get("why") or "no reason given"), {})[str(one["score"])] = None
    return [f"{', '.join(names)}: {why}" for why, names in reasons.items()]


def _said(entry: Mapping[str, Any]) -> str:
    within = words.span("", entry.get("low"), entry.get("high"))
    return words.number(entry["value"]) + (f" ({within})" if within else "")


def _point(residual: str, point: tuple[float, float]) -> str:
    return words.number(point[1], "accuracy" if residual == "error" else "")


def cost(
    entries: Sequence[Mapping[str, Any]], overall: Sequence[Finding], given: Mapping[str, Any], prefix: str
) -> dict[str, Any]:
    """Draw the mean cost per case under each decision rule."""
    rows = [
        figures.Whisker(
            words.opening(tables.short_name(tables.rule(entry))),
            entry["value"],
            entry["low"],
            entry["high"],
            _said(entry),
        )
        for entry in entries
        if entry.get("value") is not None
    ]
    unit = (given.get("severity") or {}).get("unit")
    caption = f"Mean cost per case; unit: {unit}" if unit else "Mean cost per case"
    spoken = "Mean cost per case under each decision rule, with intervals"
    pictures = (
        [pack(figures.dots_and_whiskers(rows, "mean cost per case"), f"{prefix}cost-rules", spoken, caption)]
        if rows
        else []
    )
    judged = [one for one in overall if one.get("decision") is not None]
    priced = tables.present(judged, COST_CODES[:2])
    table = tables.laid_out(
        judged if priced else [],
        lambda one: words.opening(tables.rule_name(tables.rule(one))),
        COST_CODES,
        given.get("limits"),
    )
    return {"pictures": pictures, "table": table}
