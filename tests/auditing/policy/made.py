"""Policies to fit, each with how to ask for it, and a table for a veto."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from primum.auditing.policy.terms import Promise, StatedReader

ERRS = {"naevus": 0.1, "keratosis": 0.1, "melanoma": 0.3, "carcinoma": 0.02}
ASKED: dict[str, dict[str, Any]] = {
    "capacity": {"capacity": 0.18},
    "cost": {"reader": StatedReader(0.5)},
    "cost-errs": {"reader": StatedReader(0.2, ERRS), "decision": "bayes"},
    "learned": {"capacity": 0.3, "score": ["msr", "expected_cost"]},
    "groups": {"capacity": 0.3, "by": "site"},
    "certified": {"promise": Promise(alpha=0.1)},
    "certified-all-bayes": {"promise": Promise(alpha=0.1, denominator="all"), "decision": "bayes"},
    "certified-accepted": {"promise": Promise(alpha=0.1, denominator="accepted")},
    "certified-cost": {
        "promise": Promise("expected_cost", 0.1, denominator="accepted", method="bonferroni", unit="worst")
    },
    "certified-groups": {"promise": Promise(alpha=0.1, denominator="all"), "by": "site"},
    "not-certifiable": {"promise": Promise()},
}


def with_novelty(rows: pl.DataFrame, seed: int = 5) -> pl.DataFrame:
    """The same with a novelty score, low for a sixth of the cases judged, and paths."""
    rng = np.random.default_rng(seed)
    novelty = rng.normal(size=len(rows))
    strange = (rng.random(len(rows)) < 1 / 6) & (rows["split"] == "test").to_numpy()
    return rows.with_columns(score_novelty=novelty - 6 * strange, path=pl.col("id") + ".png")
