"""Audit dicts as the auditor writes them, simulated: the report's tests and its pictures start here."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

ISIC = ["MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"]
SHARES = [171, 909, 93, 43, 217, 44, 35]
DANGEROUS = {"MEL", "BCC", "AKIEC"}


def wilson(k: float, n: int) -> tuple[float, float]:
    share, z = k / n, 1.96
    middle, spread = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float((middle - spread) / (1 + z * z / n)), float((middle + spread) / (1 + z * z / n))


def finding(code: str, value: float | None, n: int, half: float = 0.02, **more: Any) -> dict[str, Any]:
    ends = {"low": None, "high": None} if value is None else {"low": value - half, "high": value + half}
    base = {
        "code": code,
        "name": code.replace("_", " "),
        "value": value,
        **ends,
        "n": n,
        "group": "all",
        "decision": None,
        "score": None,
        "calibrated": "none",
        "better": None,
        "verdict": "not_judged",
        "why": "",
    }
    return {**base, **more}


def rates(true: Any, said: Any, fatal: Any, cost: Any, **more: Any) -> list[dict[str, Any]]:
    ill = fatal.any(1)[true]
    missed = int(fatal[true, said].sum())
    safe = ~fatal.any(1)[said][~ill]
    right = [np.mean(said[true == one] == one) for one in np.unique(true)]
    found = [finding("critical_errors", missed, int(ill.sum()), better="lower", **more)]
    for code, k, n, better in (
        ("cer", missed, int(ill.sum()), "lower"),
        ("specificity", int(safe.sum()), len(safe), "higher"),
        ("accuracy", int((true == said).sum()), len(true), "higher"),
    ):
        low, high = wilson(k, max(n, 1))
        found.append(finding(code, k / max(n, 1), n, better=better, **{**more, "low": low, "high": high}))
    found.append(
        finding("balanced_accuracy", float(np.mean(right)), len(true), 0.031, better="higher", **more)
    )
    found.append(finding("macro_f1", float(np.mean(right)) - 0.02, len(true), 0.03, better="higher", **more))
    mean = float(cost[true, said].mean())
    found.append(finding("expected_cost", mean, len(true), 0.07, better="lower", **more))
    found.append(finding("normalized_expected_cost", mean / 1.55, len(true), 0.05, better="lower", **more))
    return found


def audit(
    classes: list[str] | None = None,
    dangerous: set[str] | None = None,
    severity: bool = True,
    n: int = 1512,
    seed: int = 0,
    skill: float = 2.4,
    name: str = "isic2018_cross_entropy.parquet",
) -> dict[str, Any]:
    classes = ISIC if classes is None else classes
    dangerous = DANGEROUS if dangerous is None else dangerous
    size, rng = len(classes), np.random.default_rng(seed)
    shares = np.array(SHARES if size == 7 else np.linspace(2, 1, size), float)
    true = rng.choice(size, n, p=shares / shares.sum())
    z = rng.normal(size=(n, size)) * 1.25 + np.log(shares / shares.sum()) * 0.6
    z[np.arange(n), true] += skill
    soft = np.exp(z - z.max(1, keepdims=True))
    p = soft / soft.sum(1, keepdims=True)
    bad = np.array([one in dangerous for one in classes])
    fatal = bad[:, None] & ~bad[None, :]
    cost = np.where(fatal, 10.0, np.where(~bad[:, None] & bad[None, :], 2.0, 1.0)) * (1 - np.eye(size))
    argmax, bayes, sure = p.argmax(1), (p @ cost).argmin(1), p.max(1)
    site = np.array(["Vienna", "Sydney", "Rosendahl"])[rng.integers(0, 3, n)]
    found: list[dict[str, Any]] = []
    for decision, said, state in (("argmax", argmax, "none"), ("bayes", bayes, "vector")):
        for group in ("all", *dict.fromkeys(f"site={one}" for one in sorted(set(site)))):
            keep = site == group.removeprefix("site=") if group != "all" else np.ones(n, bool)
            more = {"decision": decision, "calibrated": state, "group": group}
            found += rates(true[keep], said[keep], fatal, cost, **more)
    for state, ece in (("none", 0.071), ("vector", 0.018)):
        for code, value in (
            ("ece", ece),
            ("classwise_ece", ece / 3),
            ("brier", 0.41 + ece),
            ("nll", 0.7 + ece),
        ):
            why = "expected 0.014 under perfect calibration" if code == "ece" else ""
            found.append(finding(code, value, n, 0.012, calibrated=state, better="lower", why=why))
    scores = {
        "msr": sure,
        "pe": (p * np.log(p)).sum(1),
        "margin": np.diff(np.sort(p, 1)[:, -2:], axis=1)[:, 0],
    }
    curves = []
    for score, worth in scores.items():
        order = np.argsort(-worth, kind="stable")
        for residual, loss in (("error", (argmax != true) * 1.0), ("cost", cost[true, argmax])):
            joint = np.cumsum(loss[order]) / n
            cover = np.arange(1, n + 1) / n
            curves.append(
                {
                    "group": "all",
                    "decision": "argmax",
                    "score": score,
                    "calibrated": "none",
                    "residual": residual,
                    "coverage": cover.tolist(),
                    "risk": (joint / cover).tolist(),
                    "generalized_risk": joint.tolist(),
                }
            )
        more = {"score": score, "decision": "argmax", "better": "lower"}
        found.append(finding("aurc", 0.11 + len(score) / 900, n, 0.012, **more))
        found.append(finding("augrc", 0.07 + len(score) / 900, n, 0.009, **more))
        found.append(finding("failure_auroc", 0.81, n, 0.02, **{**more, "better": "higher"}))
        found.append(finding("silent_critical_rate", 0.14, int(bad[true].sum()), 0.03, **more))
    found.append(finding("auroc", None, n, verdict="not_applicable", why="one class has no test case"))
    found.append(
        finding(
            "fit_differs",
            None,
            n,
            name="Fit and test rows differ",
            verdict="warning",
            why="class shares of the fit rows differ from those judged (p = 0.003)",
        )
    )
    for one in found:
        if one["group"] == "all" and one["decision"] == "argmax" and one["code"] == "cer":
            one.update(verdict="failed", why="the whole interval lies above the limit")
        if one["group"] == "all" and one["code"] == "specificity":
            one.update(verdict="passed" if one["decision"] == "argmax" else "inconclusive")
    bins = [bins_of(sure, argmax == true, power) for power in (1.0, 0.93)]
    counts = [np.zeros((size, size), int) for _ in range(2)]
    for table, said in zip(counts, (argmax, bayes), strict=True):
        np.add.at(table, (true, said), 1)
    worst = np.argsort(-(cost[true, argmax] + sure), kind="stable")[:200]
    cases = [
        {
            "id": f"ISIC_{at:07d}",
            "label": classes[true[at]],
            "predicted": classes[argmax[at]],
            "bayes": classes[bayes[at]],
            "confidence": float(sure[at]),
            "cost": float(cost[true[at], argmax[at]]),
            "critical": bool(fatal[true[at], argmax[at]]),
            "silent": bool(sure[at] > 0.6),
            "path": f"{at}.png",
        }
        for at in worst
    ]
    made: dict[str, Any] = {
        "schema": "primum.audit/1",
        "settings": {
            "name": name,
            "fit": "cal rows of the same file",
            "n": n,
            "unlabelled": 0,
            "other_rows": {"cal": 1046},
            "classes": classes,
            "severity": {
                "name": "isic2018",
                "classes": classes,
                "cost": cost.tolist(),
                "critical": [],
                "defer": None,
                "unit": "missed-cancer tenths",
                "source": "three levels, 1/2/10",
            },
            "critical": [
                [a, b]
                for a, x in zip(classes, bad, strict=True)
                for b, y in zip(classes, bad, strict=True)
                if x and not y
            ],
            "by": ["site"],
            "prior": None,
            "limits": {"cer": {"max": 0.1}, "specificity": {"min": 0.8}},
            "bootstrap": 1000,
            "seed": 0,
            "level": 0.95,
            "patients": None,
            "operating_coverage": 0.8,
            "recalibrator": "vector",
            "recalibration": {"vector": {"cv_nll": 0.701}, "none": {"cv_nll": 0.765}},
            "source": {"network": "tf_efficientnet_lite0", "loss": "cross-entropy"},
            "not_supplied": ["No patient column: cases are treated as independent.", "No stochastic passes."],
            "fingerprints": {"test": "sha256:9f2c41d0", "fit": "sha256:03ab77e1"},
            "version": "0.1.0",
        },
        "findings": found,
        "curves": {
            "confusion": [
                {"group": "all", "decision": "argmax", "calibrated": "none", "counts": counts[0].tolist()},
                {"group": "all", "decision": "bayes", "calibrated": "vector", "counts": counts[1].tolist()},
            ],
            "reliability": [
                {"group": "all", "calibrated": state, "bins": one}
                for state, one in zip(("none", "vector"), bins, strict=True)
            ],
            "risk_coverage": curves,
            "cost": [
                {
                    "decision": one["decision"],
                    "calibrated": one["calibrated"],
                    "value": one["value"],
                    "low": one["low"],
                    "high": one["high"],
                }
                for one in found
                if one["code"] == "expected_cost" and one["group"] == "all"
            ],
        },
        "cases": cases,
    }
    return made if severity else harmless(made)


def harmless(made: dict[str, Any]) -> dict[str, Any]:
    """The same audit by a user who gave no severity."""
    made["settings"].update(severity=None, critical=[], limits=None, by=[])
    made["curves"].update(cost=[], confusion=made["curves"]["confusion"][:1])
    made["curves"]["risk_coverage"] = [
        one for one in made["curves"]["risk_coverage"] if one["residual"] == "error"
    ]
    kept = []
    for one in made["findings"]:
        if one["decision"] == "bayes" or one["group"] != "all" or one["verdict"] == "warning":
            continue
        one.update(verdict="not_judged", why="")
        if one["code"] in ("critical_errors", "cer", "specificity", "expected_cost", "silent_critical_rate"):
            one.update(value=None, low=None, high=None, verdict="not_applicable", why="no severity was given")
        kept.append(one)
    made["findings"] = kept
    for case in made["cases"]:
        case.update(critical=False, bayes=None, cost=None)
    return made


def bins_of(sure: Any, right: Any, power: float) -> list[dict[str, Any]]:
    edges, made = np.linspace(0, 1, 16), []
    for low, high in pairwise(edges):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            n, share = int(inside.sum()), float(right[inside].mean())
            ends = wilson(share * n, n)
            made.append(
                {
                    "low": float(low),
                    "high": float(high),
                    "confidence": float(sure[inside].mean()) ** power,
                    "accuracy": share,
                    "accuracy_low": ends[0],
                    "accuracy_high": ends[1],
                    "n": n,
                }
            )
    return made


def comparison() -> dict[str, Any]:
    first, second = audit(name="ce.parquet"), audit(name="risk.parquet", seed=0, skill=2.9)
    differences = []
    for one, two in zip(first["findings"], second["findings"], strict=True):
        if one["value"] is not None:
            half = {"cer": 0.02, "ece": 0.03}.get(one["code"], 0.015) * (1 if one["value"] < 2 else 100)
            value = two["value"] - one["value"]
            differences.append(
                {**one, "value": value, "low": value - half, "high": value + half, "verdict": "not_judged"}
            )
    return {
        "schema": "primum.comparison/1",
        "settings": {"first": "ce.parquet", "second": "risk.parquet", "n": 1512, "level": 0.95},
        "findings": differences,
        "first": first,
        "second": second,
    }
