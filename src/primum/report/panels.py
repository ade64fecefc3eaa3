"""Three middle panels: which classes are confused, what answering only when sure buys, what errors cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from primum.report import figures, matrix, tables, words
from primum.report.words import Finding

SELECTIVE_CODES = ("aurc", "augrc", "failure_auroc", "silent_critical_rate", "cost_aurc", "cost_augrc")
COST_CODES = ("expected_cost", "normalized_expected_cost", "cer", "specificity", "net_benefit", "ppv", "npv")
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def of(audit: Mapping[str, Any], overall: Sequence[Finding], prefix: str) -> dict[str, Any]:
    """Build the panels of one audit from its curves and its findings over all cases."""
    curves, given = audit.get("curves") or {}, audit.get("settings") or {}
    return {
        "matrices": matrices(curves.get("confusion") or [], overall, given),
        "selective": selective(curves.get("risk_coverage") or [], overall, given, prefix),
        "cost": cost(curves.get("cost") or [], overall, given, prefix),
    }


def drawn(figure: Any, name: str, spoken: str, caption: str = "") -> dict[str, Any]:
    """Pack a figure for the template: its JSON can hold any user's text without leaving its script."""
    written = figure.to_json(validate=False, engine="json")
    for sign, code in UNSAFE.items():
        written = written.replace(sign, code)
    height = figure.layout.height
    return {"id": name, "spec": Markup(written), "spoken": spoken, "caption": caption, "height": height}


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
    found = _all(curves)
    for residual, what in (("error", "Errors"), ("cost", "Cost of errors")):
        mine = [one for one in found if (one.get("residual") or "error") == residual and len(one["coverage"])]
        if not mine:
            continue
        shown = mine[: figures.MOST_CURVES]
        more = f"; {len(mine) - len(shown)} more in the table" if len(mine) > len(shown) else ""
        spoken = f"{what} against the share of cases answered, one line per confidence score"
        name = f"{prefix}coverage-{residual}"
        pictures.append(drawn(figures.risk_coverage(shown, "risk", at), name, spoken, what + more))
        if all(len(one.get("generalized_risk") or ()) == len(one["coverage"]) for one in shown):
            figure = figures.risk_coverage(shown, "generalized_risk", at)
            joint.append(drawn(figure, f"{name}-joint", spoken + ", per case seen", what + more))
        rows = [
            (label, [_point(residual, point) for point in tables.at_coverages(one, COVERAGES)])
            for label, one in zip(figures.curve_names(mine), mine, strict=True)
        ]
        read.append(
            {"name": what, "columns": [words.number(one, "accuracy") for one in COVERAGES], "rows": rows}
        )
    scored = [one for one in overall if one.get("score") and one.get("code") in SELECTIVE_CODES]
    several = len({(one.get("decision"), one.get("calibrated") or "none") for one in scored}) > 1

    def row(one: Finding) -> str:
        rule = tables.short_name(tables.rule(one)) if several else ""
        return f"{one['score']} · {rule}" if rule else str(one["score"])

    names = dict.fromkeys(str(one["score"]) for one in scored)
    known = "; ".join(f"{name}: {words.SCORES[name]}" for name in names if name in words.SCORES)
    table = tables.laid_out(scored, row, SELECTIVE_CODES, given.get("limits"))
    return {
        "pictures": pictures,
        "joint": joint,
        "read": read,
        "table": table,
        "at": at and words.number(at, "accuracy"),
        "known": known,
    }


def _said(entry: Mapping[str, Any]) -> str:
    within = words.span(entry)
    return words.number(entry["value"]) + (f" ({within})" if within else "")


def _point(residual: str, point: tuple[float, float]) -> str:
    return words.number(point[1], "accuracy" if residual == "error" else "")


def cost(
    entries: Sequence[Mapping[str, Any]], overall: Sequence[Finding], given: Mapping[str, Any], prefix: str
) -> dict[str, Any]:
    """Draw the mean cost per case under each decision rule."""
    rows = [
        {**entry, "name": words.opening(tables.short_name(tables.rule(entry))), "said": _said(entry)}
        for entry in entries
        if entry.get("value") is not None
    ]
    unit = (given.get("severity") or {}).get("unit")
    caption = f"Mean cost per case; unit: {unit}" if unit else "Mean cost per case"
    spoken = "Mean cost per case under each decision rule, with intervals"
    pictures = (
        [drawn(figures.dots_and_whiskers(rows, "mean cost per case"), f"{prefix}cost-rules", spoken, caption)]
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
