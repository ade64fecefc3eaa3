"""When the model should stay silent: failure cost against share deferred, and what each policy achieved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go

from primum.judge.finding import Finding
from primum.judge.metrics.table import codes
from primum.judge.sections.deferral import (
    CostCurve,
    DeferralSection,
    FittedCurve,
    PolicyRecord,
    PolicyThreshold,
    ScoreCurves,
)
from primum.report import figures, tables, words
from primum.report.pictures import Picture, pack
from primum.report.sections import attainable, gates, ratios

VERDICTS = {
    "fitted": "fitted", "certified": "certified", "partly_certified": "certified for some groups",
    "not_certifiable": "not certifiable",
}  # fmt: skip
LOOKS = {"certified": "passed", "partly_certified": "inconclusive", "not_certifiable": "failed"}
HOLLOW = "hollow"  # looks of a promise that deferral alone would keep
CODES = codes("deferral")
SHARES = (0.05, 0.1, 0.18, 0.25, 0.35, 0.5)


def of(section: DeferralSection, prefix: str, images: Path | None = None) -> dict[str, object]:
    """Build the section's view.

    Args:
        section: of the audit. prefix: keeps the ids of two audits apart.
        images: the folder that the paths of the cases are relative to.
    """
    scores = [score for score in section.scores if score.judged.failure is not None]
    policies = [  # audits once left them unnamed
        replace(policy, name=policy.name or f"Policy {number} · {policy.score}")
        for number, policy in enumerate(section.policies, start=1)
    ]
    fitted = bool(scores) and all(score.fitted for score in scores)
    readers = {False: "A reader who costs nothing"}
    if section.reader_cost is not None and scores:
        errs = ", who errs at the stated rates" if section.reader_errs else ""
        readers[True] = f"A reader cost of {section.reader_cost:g} a case{errs}"
    names = {score.score for score in scores}
    errors = section.unit == "errors"
    return {
        "id": f"{prefix}silent",
        "pictures": _pictures(
            scores, policies, readers=readers, fitted=fitted, errors=errors, prefix=f"{prefix}silent"
        ),
        "own": _pictures(
            scores, [], readers=readers, fitted=False, errors=errors, prefix=f"{prefix}own-silent"
        )
        if fitted
        else [],
        "fitted": fitted,
        "unit": section.unit,
        "alone": words.number(section.cost_without_deferral),
        "known": "; ".join(f"{name}: {title}" for name, title in words.SCORES.items() if name in names),
        "tables": [_numbers(scores, paid, title) for paid, title in readers.items()] if fitted else [],
        "policies": [_policy(policy) for policy in policies],
        "gates": gates.of(policies, images),
        "attainable": attainable.of(policies, f"{prefix}silent-"),
        "ratios": ratios.of(section.ratios, f"{prefix}silent-"),
        "no_ratios": section.ratios_why_not,
        "achieved": tables.tabulate(
            [replace(finding, policy=policy.name) for policy in policies for finding in policy.achieved],
            _row,
            CODES,
        ),
    }


def _row(finding: Finding) -> str:
    """Name the policy, and the group where it is not of all cases."""
    group = "" if finding.group == "all" else ", " + finding.group.replace("=", f"{words.GAP}", 1)
    return f"{finding.policy}{group}"


def _failure(curve: CostCurve | FittedCurve, paid: bool) -> Sequence[float]:
    """Failure cost with the stated reader, or with one who is free."""
    return (curve.failure_with_reader if paid else curve.failure) or ()


def _pictures(
    scores: Sequence[ScoreCurves],
    policies: Sequence[PolicyRecord],
    readers: Mapping[bool, str],
    fitted: bool,
    errors: bool,
    prefix: str,
) -> list[Picture]:
    early = scores[: figures.MOST_CURVES]
    more = f"; {len(scores) - len(early)} more scores in the table" if len(scores) > len(early) else ""
    pictures = []
    for paid, title in readers.items() if early else ():
        figure = _figure(early, policies, fitted=fitted, paid=paid, errors=errors)
        alt = f"{title}: failure cost against the share of cases deferred, one line per confidence score"
        name = f"{prefix}-failure_with_reader" if paid else f"{prefix}-failure"
        pictures.append(pack(figure, name, alt, title + more))
    return pictures


def _figure(
    scores: Sequence[ScoreCurves],
    policies: Sequence[PolicyRecord],
    *,
    fitted: bool,
    paid: bool,
    errors: bool,
) -> go.Figure:
    """Draw failure cost against the share deferred, and the point each policy came to."""
    entries = len(scores) + figures.legend_lines(figures.folded(policy.name) for policy in policies)
    figure = figures.blank(380 + 24 * entries)
    for place, score in enumerate(scores):
        curve = score.fitted if fitted and score.fitted else score.judged
        figure.add_scatter(
            x=curve.deferred, y=_failure(curve, paid), mode="lines", name=figures.plain(score.score),
            customdata=[words.NOTHING if t is None else f"{t:.4g}" for t in curve.threshold],
            line={
                "color": figures.CURVES[place % len(figures.CURVES)],
                "dash": figures.DASHES[place % len(figures.DASHES)], "width": 2,
            },
            hovertemplate="deferred %{x:.1%}: failure cost %{y:.1%}<br>accept at or above %{customdata}",
        )  # fmt: skip
    code = "failure_cost_ratio_with_reader" if paid else "failure_cost_ratio"
    for policy in policies:
        x, y = tables.pick(policy.achieved, "deferred_share"), tables.pick(policy.achieved, code)
        if x is None or y is None or x.value is None or y.value is None:
            continue
        bars = {
            "type": "data", "symmetric": False, "color": figures.INK, "thickness": 1, "width": 4,
            "array": [(y.value if y.high is None else y.high) - y.value],
            "arrayminus": [y.value - (y.value if y.low is None else y.low)],
        }  # fmt: skip
        figure.add_scatter(
            x=[x.value], y=[y.value], mode="markers", name=figures.folded(policy.name), error_y=bars,
            marker={"size": 10, "color": figures.INK, "symbol": "diamond"},
            hovertemplate="deferred %{x:.1%}: failure cost %{y:.1%}",
        )  # fmt: skip
    figure.add_hline(y=1, line={"color": figures.SOFT, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="share of cases sent to a reader", tickformat=".0%", range=[-0.01, 1.01])
    title = "errors left" if errors else "failure cost"
    figure.update_yaxes(title_text=title, rangemode="tozero", tickformat=".0%")
    figure.update_layout(
        showlegend=True, legend={"y": -60 / 320, "yanchor": "top"}, margin={"b": 60 + 24 * entries}
    )
    return figure


def _numbers(scores: Sequence[ScoreCurves], paid: bool, title: str) -> dict[str, object]:
    """Lay out share deferred and failure cost of every score at thresholds from the fit rows."""
    rows = []
    for score in scores:
        curve = score.fitted
        if curve is None:
            continue
        cells = []
        for share in SHARES:
            place = min(range(len(curve.share)), key=lambda k: abs(curve.share[k] - share))
            cells.append(
                {
                    "failure": words.number(_failure(curve, paid)[place], "failure_cost_ratio"),
                    "deferred": words.number(curve.deferred[place], "deferred_share"),
                    "threshold": words.number(curve.threshold[place]),
                }
            )
        rows.append((score.score, cells))
    heads = [words.number(share, "deferred_share") for share in SHARES]
    return {"name": title, "columns": heads, "rows": rows}


def _policy(policy: PolicyRecord) -> dict[str, object]:
    fit, learned = policy.fit, policy.learned_from
    vacuous, patients = any(threshold.vacuous for threshold in policy.thresholds), ""
    if fit.patients is not None:
        patients = f" of {words.counted(fit.patients, 'patient', 'patients')}"
    return {
        "name": policy.name,
        "promise": words.opening(policy.sentence),
        "verdict": VERDICTS.get(policy.verdict, policy.verdict) + _units(policy) + (", vacuous" * vacuous),
        "look": HOLLOW if vacuous else LOOKS.get(policy.verdict, "not_judged"),
        "certified": policy.kind == "certified",
        "from": f"fitted on {fit.n} rows{patients} of {words.file_name(fit.name)}{_trials(policy)}",
        "score": f"{policy.score} ({', '.join(learned)})" if learned else policy.score,
        "decision": tables.rule_name((policy.decision, policy.calibrated)),
        "by": policy.by,
        "thresholds": [_threshold(threshold, policy) for threshold in policy.thresholds],
        "notes": [words.opening(note) for note in policy.notes],
    }


def _trials(policy: PolicyRecord) -> str:
    """How many scores were tried for a promise; nothing in audits from before they were counted."""
    count = len(policy.tried)
    if count < 2:
        return ", one score tried" if count else ""
    return f", {count} scores tried, each at delta{words.GAP}/{words.GAP}{count}"


def _threshold(threshold: PolicyThreshold, policy: PolicyRecord) -> dict[str, str]:
    rule = "defer every case" if threshold.deferred_share == 1 else "accept every case"
    if threshold.threshold is not None:
        rule = f"{policy.direction} {threshold.threshold:.4g}"
    if policy.veto is not None and threshold.deferred_share < 1:
        rule = f"pass at {policy.veto.score} {policy.veto.threshold:.4g} or above, then {rule}"
    return {
        "group": "all cases" if policy.by is None else f"{policy.by} {threshold.group}",
        "rule": rule,
        "deferred": words.number(threshold.deferred_share, "deferred_share"),
        "coverage": words.number(threshold.critical_coverage, "critical_coverage"),
        "cleared": words.number(threshold.cleared, "accuracy"),
        "verdict": VERDICTS[threshold.verdict] + (", vacuous" * threshold.vacuous),
        "look": HOLLOW if threshold.vacuous else LOOKS.get(threshold.verdict, "not_judged"),
        "evidence": _evidence(threshold),
    }


def _evidence(threshold: PolicyThreshold) -> str:
    if threshold.risk is None or threshold.p is None:
        return ""
    risk = words.number(threshold.risk, "cer")
    return f"risk {risk} on n = {threshold.n}, p = {threshold.p:.2g} against {threshold.level:.2g}"


def _units(policy: PolicyRecord) -> str:
    """How many units a promise that could not be made was tried on."""
    if policy.verdict != "not_certifiable" or policy.by is not None:
        return ""
    return f" with n = {policy.thresholds[0].n}"
