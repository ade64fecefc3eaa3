"""What was judged and how, as it stands at the head of ``audit.json``."""

from __future__ import annotations

from typing import Any

from primum.auditing.options import OPERATING_COVERAGE, Options
from primum.auditing.preparation import Prepared, fingerprint
from primum.auditing.supplements import Supplements
from primum.core.version import __version__
from primum.judge.statistics.interval import LEVEL
from primum.judge.statistics.partitions import partition
from primum.severity import pairs


def settings(prepared: Prepared, opts: Options, supplements: Supplements) -> dict[str, Any]:
    """Plain values, ready for JSON: names, options, thresholds, recalibrators, partitions, fingerprints."""
    test, chosen = prepared.test, prepared.chosen
    fingerprints = {"test": fingerprint(test)}
    if prepared.rows.fit is not None:
        fingerprints["fit"] = fingerprint(prepared.rows.fit)
    return {
        "name": test.name,
        "fit": prepared.rows.fit_name,
        "n": len(test),
        **prepared.rows.counts,
        "classes": list(test.classes),
        "severity": None if opts.severity is None else opts.severity.to_dict(),
        "critical": pairs(test.classes, opts.critical),
        "by": list(opts.by),
        "prior": None if opts.priors is None else dict(zip(test.classes, opts.priors.tolist(), strict=True)),
        "limits": {code: dict(limit) for code, limit in opts.limits.items()} or None,
        "bootstrap": opts.replicates,
        "seed": opts.seed,
        "level": LEVEL,
        "patients": None if test.patients is None else int(test.patients.n_unique()),
        "operating_coverage": OPERATING_COVERAGE,
        "thresholds": {rule: dict(answers.threshold) for rule, answers in prepared.view.answers.items()},
        "specificity_thresholds": None
        if prepared.view.operating is None
        else {f"{s:g}": t for s, t in prepared.view.operating.threshold.items()},
        "recalibrator": prepared.best,
        "recalibration": None
        if chosen is None
        else {name: {"cv_nll": v} for name, v in chosen.cv_nll.items()}
        | {name: {"why_not": reason} for name, reason in chosen.left_out.items()},
        "source": dict(test.source),
        "partitions": {
            name: partition(part.labels, part.classes, part.metadata, part.patients)
            for name, part in (("test", test), ("fit", prepared.rows.fit))
            if part is not None
        },
        "about": None if supplements.study is None else supplements.study.reported(),
        "not_supplied": prepared.not_supplied,
        "fingerprints": fingerprints,
        "version": __version__,
    }
