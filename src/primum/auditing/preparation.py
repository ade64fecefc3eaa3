"""From selected rows to a view: what is fitted on the fit rows, and what each decision rule answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from primum.auditing.answers import answers
from primum.auditing.guards import guard
from primum.auditing.options import Options
from primum.core.arrays import Bools, Floats, Integers
from primum.judge import decision
from primum.judge.answers import Operating, View
from primum.judge.finding import Finding
from primum.judge.metrics import harm, operating
from primum.judge.recalibration import recalibrate
from primum.judge.recalibration.inversion import inversion_for
from primum.judge.recalibration.recalibrate import Chosen
from primum.judge.statistics import groups
from primum.predictions import Predictions
from primum.tables.selection import Selection


@dataclass(frozen=True, eq=False)
class Prepared:
    """One model's rows, ready to be measured.

    Attributes:
        rows: the judged and the fit rows. view: everything the metrics need.
        chosen: recalibrators, or None without fit rows.
        warnings: findings of the checks. not_supplied: what an audit could use and did not get.
    """

    rows: Selection
    view: View
    chosen: Chosen | None
    warnings: list[Finding] = field(default_factory=list)
    not_supplied: list[str] = field(default_factory=list)

    @property
    def test(self) -> Predictions:
        """The judged rows."""
        return self.rows.test

    @property
    def best(self) -> str:
        """Name of the recalibrator whose probabilities are decided on, ``none`` without fit rows."""
        return "none" if self.chosen is None else self.chosen.best


def prepare(rows: Selection, opts: Options, train: Predictions | None = None) -> Prepared:
    """Fit recalibrators on the fit rows and apply every decision rule to the judged rows.

    ``train`` are rows the network was trained on, for the confidence scores that need them.

    Raises InputError, before anything is fitted, when a column to group by is not there.
    """
    test, fit = rows.test, rows.fit
    groups.check_columns(test.metadata, opts.by)
    clusters = None if test.patients is None else codes(test.patients)
    chosen, probs, fit_probs = None, {"none": test.probs}, {}
    if fit is not None:
        fit_clusters = codes(fit.ids if fit.patients is None else fit.patients)
        inversion = inversion_for(test.source, test.classes)
        chosen = recalibrate.choose(fit.logits, fit.labels, fit_clusters, opts.seed, inversion)
        probs |= {name: f(test.logits) for name, f in chosen.fitted.items() if name != "none"}
        # thresholds are read from these two alone; every recalibrator is judged, on the judged rows
        fit_probs = {name: chosen.fitted[name](fit.logits) for name in {"none", chosen.best}}
    view = View(
        test.labels,
        probs,
        answers={},
        clusters=clusters,
        units=codes(test.ids) if clusters is None else clusters,
        cost=opts.cost,
        critical=opts.critical,
        priors=opts.priors,
        replicates=opts.replicates,
        seed=opts.seed,
    )
    best = "none" if chosen is None else chosen.best
    view = replace(
        view,
        answers=answers(rows, probs, fit_probs, best, opts, train),
        operating=None if fit is None else operating_of(fit.labels, fit_probs[best], best, opts.critical),
    )
    return Prepared(rows, view, chosen, guard(rows, opts), _not_supplied(rows, opts, train))


def codes(values: pl.Series) -> Integers:
    """(N,) dense rank of each value: the same whatever the order of the rows."""
    return values.rank("dense").cast(pl.Int64).to_numpy()


def operating_of(labels: Integers, probs: Floats, calibrated: str, critical: Bools | None) -> Operating:
    """Thresholds on the critical mass that keep each specificity on fit rows: labels (N,), probs (N, K)."""
    if critical is None:
        return Operating(calibrated, {}, "no critical cells were given")
    fatal = harm.critical_classes(critical)
    among = fatal[labels]
    if fatal.all() or among.all():
        return Operating(calibrated, {}, "no fit row is of a class that is not critical")
    score = decision.critical_mass(probs, critical)
    # a threshold above every score would call nobody critical: it keeps any specificity and says nothing
    thresholds = {s: operating.threshold_at_specificity(score, among, s) for s in operating.SPECIFICITIES}
    return Operating(calibrated, {s: t for s, t in thresholds.items() if np.isfinite(t)})


def _not_supplied(rows: Selection, opts: Options, train: Predictions | None) -> list[str]:
    test, missing = rows.test, []
    if opts.severity is None:
        missing.append("a severity matrix: no expected cost and no Bayes decision")
    if opts.critical is None:
        missing.append("critical cells: no critical error rate")
    if rows.fit is None:
        missing.append(
            "a fit split: nothing was recalibrated, Bayes decisions use the probabilities as they came"
        )
        missing.append("a fit split: operating thresholds were read from the judged rows themselves")
    if train is None and test.embeddings is not None:
        missing.append("training rows: no score of how far a case lies from what the network has seen")
    if test.patients is None:
        missing.append("patients: cases are treated as independent, intervals may be too narrow")
    if opts.priors is None:
        missing.append("deployment priors: costs hold for the shares of classes in these rows")
    if not opts.limits:
        missing.append("limits: no finding is called passed or failed")
    if "path" not in test.metadata.columns:
        missing.append("image paths: critical errors are named, not shown")
    return missing


def fingerprint(table: Predictions) -> str:
    """sha256 over ids, classes, labels and logits, to say which rows were judged or fitted on."""
    digest = hashlib.sha256("\x1f".join(table.classes).encode())
    digest.update("\x1f".join(table.ids.to_list()).encode())
    digest.update(np.ascontiguousarray(table.labels).tobytes())
    digest.update(np.ascontiguousarray(table.logits).tobytes())
    return f"sha256:{digest.hexdigest()[:32]}"
