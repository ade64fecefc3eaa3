"""From tables to a view: which rows are judged, what is fitted on the others, and what each rule answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum import check
from primum.check import InputError
from primum.finding import Finding, warning
from primum.judge import decision, recalibrate, selective
from primum.judge.answers import Answers, View
from primum.judge.confidence import SCORES
from primum.judge.interval import Floats
from primum.judge.recalibrate import Chosen
from primum.options import OPERATING_COVERAGE, Options
from primum.predictions import Predictions

FEW_FIT_ROWS = 100


@dataclass(frozen=True, eq=False)
class Prepared:
    """One model's table, ready to be measured.

    Attributes:
        test: the judged rows. fit: the fit rows, or None. view: everything the metrics need.
        chosen: recalibrators, or None without fit rows. warnings: findings of the checks.
        counts: what became of the other rows. fit_name: where the fit rows come from.
    """

    test: Predictions
    fit: Predictions | None
    view: View
    chosen: Chosen | None
    warnings: list[Finding]
    counts: Mapping[str, Any]
    fit_name: str | None
    not_supplied: list[str] = field(default_factory=list)


def select(
    table: Predictions, fit: Predictions | None
) -> tuple[Predictions, Predictions | None, dict[str, Any], str | None]:
    """The labelled rows to judge and to fit on, counts of all others, and where the fit comes from.

    With a ``split`` column only ``test`` rows are judged; ``cal`` rows of the same table serve as fit rows
    when no fit table is given.
    """
    counts: dict[str, Any] = {"other_rows": {}}
    fit_name = None if fit is None else fit.name
    test = table
    if "split" in table.metadata.columns:
        split = table.metadata["split"].fill_null("(missing)").to_numpy()
        names, sizes = np.unique(split.astype(str), return_counts=True)
        counts["other_rows"] = {str(s): int(c) for s, c in zip(names, sizes, strict=True) if s != "test"}
        if not (split == "test").any():
            raise InputError(
                f"{table.name}: no row is marked split=test ({check.shorten(names)} arrived); "
                "only test rows are judged, so mark them or leave the column out"
            )
        test = table.take(split == "test")
        if fit is None and (split == "cal").any():
            fit, fit_name = table.take(split == "cal"), "cal rows of the same file"
    test, counts["unlabelled"] = _labelled(test, "judged")
    if (np.bincount(test.labels) > 0).sum() < 2:
        raise InputError(
            f"{table.name}: judged rows of at least two classes are needed, "
            f"all {len(test)} are {test.classes[test.labels[0]]}"
        )
    if fit is not None:
        fit = _fit_rows(fit, test)
        counts["fit_rows"] = len(fit)
    return test, fit, counts, fit_name


def _labelled(table: Predictions, what: str) -> tuple[Predictions, int]:
    known = table.labels >= 0
    if not known.any():
        raise InputError(
            f"{table.name}: at least one {what} row needs a label, none has one; "
            "add a column label with class names or name yours with --columns label=YOURS"
        )
    return (table if known.all() else table.take(known)), int((~known).sum())


def _fit_rows(fit: Predictions, test: Predictions) -> Predictions:
    if "split" in fit.metadata.columns:
        split = fit.metadata["split"].fill_null("").to_numpy().astype(str)
        if (split == "cal").any():
            fit = fit.take(split == "cal")
        elif np.isin(split, ["train", "test"]).all():
            raise InputError(
                f"{fit.name}: fit rows must be neither train nor test rows, "
                f"all are marked {check.shorten(np.unique(split))}; give a calibration split"
            )
    check.same_classes(fit.classes, test.classes, fit.name, test.name)
    fit = _reordered(_labelled(fit, "fit")[0], test.classes)
    if fit.kind != test.kind:
        raise InputError(
            f"{fit.name}: fit and test rows must both hold logits or both probabilities, "
            f"{fit.kind} and {test.kind} arrived"
        )
    check.disjoint(fit.ids, test.ids, "id", f"{fit.name} and {test.name}")
    if fit.patients is not None and test.patients is not None:
        check.disjoint(
            fit.patients.unique(), test.patients.unique(), "patient", f"{fit.name} and {test.name}"
        )
    if (np.bincount(fit.labels) > 0).sum() < 2:
        raise InputError(f"{fit.name}: fit rows of at least two classes are needed, all are of one class")
    return fit


def _reordered(table: Predictions, classes: tuple[str, ...]) -> Predictions:
    if table.classes == classes:
        return table
    at = np.array([table.classes.index(name) for name in classes])
    back = np.argsort(at)
    moved = None if table.decision is None else back[table.decision]
    passes = None if table.passes is None else table.passes[:, :, at]
    return replace(
        table, classes=classes, labels=np.where(table.labels >= 0, back[table.labels], -1),
        logits=table.logits[:, at], passes=passes, decision=moved,
    )  # fmt: skip


def prepare(table: Predictions, fit_table: Predictions | None, opts: Options) -> Prepared:
    """Select rows, fit recalibrators on the fit rows, apply every decision rule to the judged rows."""
    test, fit, counts, fit_name = select(table, fit_table)
    clusters = None if test.patients is None else _codes(test.patients)
    chosen, probs, fit_probs = None, {"none": test.probs}, {}
    if fit is not None:
        fit_clusters = _codes(fit.ids if fit.patients is None else fit.patients)
        inversion = recalibrate.inversion_for(test.source, test.classes)
        chosen = recalibrate.choose(fit.logits, fit.labels, fit_clusters, opts.seed, inversion)
        probs |= {name: f(test.logits) for name, f in chosen.fitted.items() if name != "none"}
        fit_probs = {name: chosen.fitted[name](fit.logits) for name in {"none", chosen.best}}
    view = View(
        test.labels, probs, {}, clusters, _codes(test.ids) if clusters is None else clusters,
        opts.cost, opts.critical, opts.priors, opts.replicates, opts.seed,
    )  # fmt: skip
    best = "none" if chosen is None else chosen.best
    view = replace(view, answers=_answers(test, fit, probs, fit_probs, best, opts))
    prepared = Prepared(test, fit, view, chosen, [], counts, fit_name)
    return replace(
        prepared, warnings=_warnings(table, prepared, opts), not_supplied=_not_supplied(prepared, opts)
    )


def _codes(values: pl.Series) -> NDArray[np.int64]:
    """(N,) dense rank of each value: the same whatever the order of the rows."""
    return values.rank("dense").cast(pl.Int64).to_numpy()


def _answers(
    test: Predictions,
    fit: Predictions | None,
    probs: Mapping[str, Floats],
    fit_probs: Mapping[str, Floats],
    best: str,
    opts: Options,
) -> dict[str, Answers]:
    used: dict[str, tuple[str, NDArray[np.int64]]] = {"argmax": ("none", test.predicted)}
    if opts.cost is not None:
        moved = probs[best]
        if opts.priors is not None:
            seen = test.labels if fit is None else fit.labels
            observed = np.bincount(seen, minlength=len(test.classes)) / len(seen)
            moved = decision.reprior(moved, observed, opts.priors)
        used["bayes"] = (best, decision.bayes(moved, opts.cost))
    if test.decision is not None:
        used["given"] = ("none", test.decision)
    answers = {}
    for rule, (calibrated, decisions) in used.items():
        confidence = {name: score(probs[calibrated]) for name, score in SCORES.items()} | dict(test.scores)
        reference = dict(confidence)
        if fit is not None:
            reference |= {name: score(fit_probs[calibrated]) for name, score in SCORES.items()}
            reference |= {name: fit.scores[name] for name in test.scores if name in fit.scores}
        threshold = {
            name: selective.threshold_at_coverage(reference[name], OPERATING_COVERAGE) for name in confidence
        }
        answers[rule] = Answers(rule, decisions, calibrated, confidence, threshold)
    return answers


def _warnings(table: Predictions, prepared: Prepared, opts: Options) -> list[Finding]:
    n, found = len(prepared.test), []
    if prepared.counts["unlabelled"]:
        count = prepared.counts["unlabelled"]
        found.append(warning("unlabelled_rows", f"{count} rows without a label were left out", count, n))
    found += [warning("table_note", note, 1, n) for note in table.notes]
    for sentence in opts.severity.lint() if opts.severity is not None else ():
        found.append(warning("severity_lint", f"severity: {sentence}", 1, n))
    if prepared.fit is not None and len(prepared.fit) < FEW_FIT_ROWS:
        why = f"recalibration was fitted on {len(prepared.fit)} rows; below {FEW_FIT_ROWS} it is mostly noise"
        found.append(warning("few_fit_rows", why, len(prepared.fit), n))
    return found


def _not_supplied(prepared: Prepared, opts: Options) -> list[str]:
    test, said = prepared.test, []
    if opts.severity is None:
        said.append("a severity matrix: no expected cost and no Bayes decision")
    if opts.critical is None:
        said.append("critical cells: no critical error rate")
    if prepared.fit is None:
        said.append(
            "a fit split: nothing was recalibrated, Bayes decisions use the probabilities as they came"
        )
        said.append("a fit split: operating thresholds were read from the judged rows themselves")
    if test.patients is None:
        said.append("patients: cases are treated as independent, intervals may be too narrow")
    if opts.priors is None:
        said.append("deployment priors: costs hold for the shares of classes in these rows")
    if not opts.limits:
        said.append("limits: no finding is called passed or failed")
    if "path" not in test.metadata.columns:
        said.append("image paths: critical errors are named, not shown")
    return said


def fingerprint(table: Predictions) -> str:
    """sha256 over ids, classes, labels and logits, to say which rows were judged or fitted on."""
    digest = hashlib.sha256("\x1f".join(table.classes).encode())
    digest.update("\x1f".join(table.ids.to_list()).encode())
    digest.update(np.ascontiguousarray(table.labels).tobytes())
    digest.update(np.ascontiguousarray(table.logits).tobytes())
    return f"sha256:{digest.hexdigest()[:32]}"
