"""When the model should stay silent: failure cost against share deferred, and what each policy achieved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from primum.judge.metrics.table import codes
from primum.report import figures, tables, words
from primum.report.pictures import Picture, pack

VERDICTS = {
    "fitted": "fitted", "certified": "certified", "partly_certified": "certified for some groups",
    "not_certifiable": "not certifiable",
}  # fmt: skip
LOOKS = {"certified": "passed", "partly_certified": "inconclusive", "not_certifiable": "failed"}
CODES = codes("deferral")
SHARES = (0.05, 0.1, 0.18, 0.25, 0.35, 0.5)


def of(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Build the section's view from ``curves.deferral``; ``prefix`` keeps the ids of two audits apart."""
    scores = [one for one in content.get("scores") or [] if one["own"]["failure"] is not None]
    policies = [  # audits once left them unnamed
        {"name": f"Policy {number} · {one['score']}", **one}
        for number, one in enumerate(content.get("policies") or [], start=1)
    ]
    fitted = bool(scores) and all(one["fitted"] for one in scores)
    readers = [("failure", "A reader who costs nothing")]
    if content.get("reader_cost") is not None and scores:
        errs = ", who errs at the stated rates" if content.get("reader_errs") else ""
        readers.append(("failure_with_reader", f"A reader cost of {content['reader_cost']:g} a case{errs}"))
    names = [one["score"] for one in scores]
    known = {name: said for name, said in words.SCORES.items() if name in names}
    return {
        "id": f"{prefix}silent",
        "pictures": _pictures(content, scores, policies, readers, "fitted" if fitted else "own", prefix),
        "own": _pictures(content, scores, [], readers, "own", f"{prefix}own-") if fitted else [],
        "fitted": fitted,
        "unit": content.get("unit"),
        "alone": words.number(content.get("cost_without_deferral")),
        "known": "; ".join(f"{name}: {said}" for name, said in known.items()),
        "tables": [_read(scores, key, said) for key, said in readers] if fitted else [],
        "policies": [_policy(one) for one in policies],
        "achieved": tables.laid_out(
            [one | {"row": policy["name"]} for policy in policies for one in policy["achieved"]],
            lambda one: str(one["row"]), CODES,
        ),
    }  # fmt: skip


def _pictures(
    content: Mapping[str, Any],
    scores: Sequence[Mapping[str, Any]],
    policies: Sequence[Mapping[str, Any]],
    readers: Sequence[tuple[str, str]],
    lines: str,
    prefix: str,
) -> list[Picture]:
    shown = scores[: figures.MOST_CURVES]
    more = f"; {len(scores) - len(shown)} more scores in the table" if len(scores) > len(shown) else ""
    made = []
    for key, said in readers if shown else ():
        figure = _figure(shown, policies, lines, key, content.get("unit") == "errors")
        spoken = f"{said}: failure cost against the share of cases deferred, one line per confidence score"
        made.append(pack(figure, f"{prefix}silent-{key}", spoken, said + more))
    return made


def _figure(
    scores: Sequence[Mapping[str, Any]],
    policies: Sequence[Mapping[str, Any]],
    lines: str,
    key: str,
    errors: bool,
) -> go.Figure:
    """Draw failure cost against the share deferred, and the point each policy came to."""
    entries = len(scores) + len(policies)
    figure = figures.blank(380 + 24 * entries)
    code = "failure_cost_ratio" if key == "failure" else "failure_cost_ratio_with_reader"
    for at, one in enumerate(scores):
        curve = one[lines]
        said = [words.NOTHING if t is None else f"{t:.4g}" for t in curve["threshold"]]
        figure.add_scatter(
            x=curve["deferred"], y=curve[key], mode="lines", name=figures.plain(one["score"]),
            customdata=said,
            line={
                "color": figures.CURVES[at % len(figures.CURVES)],
                "dash": figures.DASHES[at % len(figures.DASHES)], "width": 2,
            },
            hovertemplate="deferred %{x:.1%}: failure cost %{y:.1%}<br>accept at or above %{customdata}",
        )  # fmt: skip
    for policy in policies:
        place = {one["code"]: one for one in policy["achieved"]}
        x, y = place.get("deferred_share"), place.get(code)
        if not x or not y or x["value"] is None or y["value"] is None:
            continue
        bars = {
            "type": "data", "symmetric": False, "color": figures.INK, "thickness": 1, "width": 4,
            "array": [y["high"] - y["value"]], "arrayminus": [y["value"] - y["low"]],
        }  # fmt: skip
        figure.add_scatter(
            x=[x["value"]], y=[y["value"]], mode="markers", name=figures.plain(policy["name"]), error_y=bars,
            marker={"size": 10, "color": figures.INK, "symbol": "diamond"},
            hovertemplate="deferred %{x:.1%}: failure cost %{y:.1%}",
        )  # fmt: skip
    figure.add_hline(y=1, line={"color": figures.SOFT, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="share of cases sent to a reader", tickformat=".0%", range=[-0.01, 1.01])
    what = "errors left" if errors else "failure cost"
    figure.update_yaxes(title_text=what, rangemode="tozero", tickformat=".0%")
    figure.update_layout(
        showlegend=True, legend={"y": -60 / 320, "yanchor": "top"}, margin={"b": 60 + 24 * entries}
    )
    return figure


def _read(scores: Sequence[Mapping[str, Any]], key: str, said: str) -> dict[str, Any]:
    """Lay out share deferred and failure cost of every score at thresholds from the fit rows."""
    rows = []
    for one in scores:
        curve = one["fitted"]
        cells = []
        for share in SHARES:
            at = min(range(len(curve["wanted"])), key=lambda k: abs(curve["wanted"][k] - share))
            cells.append(
                {
                    "failure": words.number(curve[key][at], "failure_cost_ratio"),
                    "deferred": words.number(curve["deferred"][at], "deferred_share"),
                    "threshold": words.number(curve["threshold"][at]),
                }
            )
        rows.append((one["score"], cells))
    return {
        "name": said,
        "columns": [words.number(share, "deferred_share") for share in SHARES],
        "rows": rows,
    }


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    fit, verdict = policy["fit"], str(policy["verdict"])
    patients = (
        "" if fit["patients"] is None else f" of {words.counted(fit['patients'], 'patient', 'patients')}"
    )
    learned = policy.get("learned_from")
    return {
        "name": policy["name"],
        "promise": words.opening(str(policy["said"])),
        "verdict": VERDICTS.get(verdict, verdict) + _on(policy),
        "look": LOOKS.get(verdict, "not_judged"),
        "certified": policy["kind"] == "certified",
        "from": f"fitted on {fit['n']} rows{patients} of {words.file_name(fit['name'])}{_tries(policy)}",
        "score": f"{policy['score']} ({', '.join(learned)})" if learned else policy["score"],
        "decision": tables.rule_name((str(policy["decision"]), str(policy["calibrated"]))),
        "by": policy["by"],
        "thresholds": [_threshold(one, policy) for one in policy["thresholds"]],
        "notes": list(policy["notes"]),
    }


def _tries(policy: Mapping[str, Any]) -> str:
    """How many scores were tried for a promise; nothing in audits from before they were counted."""
    count = len(policy.get("tried") or ())
    if count < 2:
        return ", one score tried" if count else ""
    return f", {count} scores tried, each at delta{words.GAP}/{words.GAP}{count}"


def _threshold(one: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    value = one["threshold"]
    everything = "defer every case" if one["deferred_share"] == 1 else "accept every case"
    said = everything if value is None else f"{policy['direction']} {value:.4g}"
    return {
        "group": "all cases" if policy["by"] is None else f"{policy['by']} {one['group']}",
        "said": said,
        "deferred": words.number(one["deferred_share"], "deferred_share"),
        "coverage": words.number(one["critical_coverage"], "critical_coverage"),
        "verdict": VERDICTS[str(one["verdict"])],
        "look": LOOKS.get(str(one["verdict"]), "not_judged"),
        "evidence": _evidence(one),
        "why": one["why"],
    }


def _evidence(one: Mapping[str, Any]) -> str:
    if one["risk"] is None or one["p"] is None:
        return ""
    risk = words.number(one["risk"], "cer")
    return f"risk {risk} on n = {one['n']}, p = {one['p']:.2g} against {one['level']:.2g}"


def _on(policy: Mapping[str, Any]) -> str:
    """How many units a promise that could not be made was tried on."""
    if policy["verdict"] != "not_certifiable" or policy["by"] is not None:
        return ""
    return f" with n = {policy['thresholds'][0]['n']}"
