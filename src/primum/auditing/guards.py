"""What a reader must know before using any number of an audit: findings with the verdict warning.

A guard returns an empty list where all is well. "Beyond chance" is p < 0.01 in a test whose unit is the
patient, since cases of one patient are alike: with nothing amiss such a guard speaks in at most one audit of
a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from primum.auditing.options import Options
from primum.core import ties
from primum.core.arrays import Bools, Integers
from primum.core.check import shorten
from primum.judge.finding import Finding, warning
from primum.judge.metrics.harm import critical_classes
from primum.judge.statistics import coincidence, homogeneity
from primum.judge.statistics.groups import groups
from primum.judge.statistics.interval import FEW as FEW_PATIENTS
from primum.predictions import Predictions
from primum.tables.selection import Selection, validation_rows

FEW_FIT_ROWS = 100
FEW_FIT_PATIENTS = 20
FEW_CRITICAL_FIT_ROWS = 30  # none wrong among 30 leaves a rate of 10 % possible
FEW_UNITS = 100
SATURATED_SHARE = 0.01
CHANCE = 0.01


def guard(rows: Selection, opts: Options) -> list[Finding]:
    """Every guard that has something to say of the judged and the fit rows."""
    test, fit = rows.test, rows.fit
    findings = unlabelled(rows) + notes(test) + dropped(test) + lint(test, opts)
    findings += (
        answered_without_label(rows)
        + patients_in_training(rows)
        + saturated(test)
        + tied_answers(test)
        + few_patients(test, opts.by)
    )
    if fit is not None:
        findings += (
            fitted_on_val(fit, test)
            + few_fit_rows(fit, test)
            + few_critical_fit_rows(fit, test, opts.critical)
        )
        findings += (
            class_without_fit_rows(fit, test) + prevalence_shift(fit, test) + confidence_shift(fit, test)
        )
        findings += same_outputs(fit, test)
    return findings


def unlabelled(rows: Selection) -> list[Finding]:
    """``unlabelled_rows``: test rows that were left out for want of a label."""
    count = rows.counts["unlabelled"]
    if not count:
        return []
    return [warning("unlabelled_rows", f"{count} rows without a label were left out", count, len(rows.test))]


def notes(test: Predictions) -> list[Finding]:
    """``table_note``: what the reader of the table let pass."""
    return [warning("table_note", note, 1, len(test)) for note in test.notes]


def dropped(test: Predictions) -> list[Finding]:
    """``dropped_copies``: what was left out of training because of copies, where the source tells it."""
    reported = test.source.get("dropped")
    dropped_images = reported if isinstance(reported, Mapping) else {}
    counts = {name: n for name, n in dropped_images.items() if isinstance(n, int)}
    if not any(counts.values()):
        return []
    parts = " and ".join(f"{n} {name}" for name, n in counts.items() if n)
    why = f"before training {parts} images were left out, since a copy of them stands in test, val or cal"
    return [warning("dropped_copies", why, sum(counts.values()), len(test))]


def lint(test: Predictions, opts: Options) -> list[Finding]:
    """``severity_lint``: what is odd about the severity matrix."""
    matrix = opts.severity
    if matrix is not None and opts.critical is not None:
        matrix = replace(matrix, critical=opts.critical)  # --critical replaces the cells of the file
    sentences = () if matrix is None else matrix.lint()
    return [warning("severity_lint", f"severity: {sentence}", 1, len(test)) for sentence in sentences]


def patients_in_training(rows: Selection) -> list[Finding]:
    """``patients_in_training``: judged cases of a patient in the train or val rows of the same table."""
    shared = rows.counts.get("shared_patients") or {}
    counts = {name: n for name, n in shared.items() if n and name in ("train", "val")}
    if not counts:
        return []
    parts = " and ".join(f"{n} judged cases of patients in the {name} rows" for name, n in counts.items())
    why = f"the same table holds {parts}: on patients it was trained on a model looks better than it is"
    return [warning("patients_in_training", why, max(counts.values()), len(rows.test))]


def saturated(test: Predictions) -> list[Finding]:
    """``saturated_probabilities``: at least 1 % of the judged cases have a probability of exactly 1."""
    count = int((test.probs.max(axis=1) == 1).sum())
    # one case alone is no group that a threshold could split
    if count < max(2, SATURATED_SHARE * len(test)):
        return []
    why = (
        f"{count} of {len(test)} judged cases have a probability of exactly 1: confidence ranks them all the "
        "same, and no threshold lies between them"
    )
    return [warning("saturated_probabilities", why, count, len(test))]


def tied_answers(test: Predictions) -> list[Finding]:
    """``tied_answers``: judged cases in which two classes are equally probable, up to rounding."""
    count = int(ties.tied(test.logits).sum())
    if not count:
        return []
    why = (
        f"in {count} of {len(test)} judged cases two classes are equally probable: the first in the order of "
        "the classes is the answer there, so another order would answer otherwise"
    )
    return [warning("tied_answers", why, count, len(test))]


def answered_without_label(rows: Selection) -> list[Finding]:
    """``answered_class_without_label``: a class that is answered, though no judged or fit row has it."""
    test, findings = rows.test, []
    parts = [test] if rows.fit is None else [test, rows.fit]
    labelled = sum(np.bincount(part.labels, minlength=len(test.classes)) for part in parts)
    answers = np.bincount(test.predicted, minlength=len(test.classes))
    prefix = "logit" if test.kind == "logits" else "prob"
    for k in np.flatnonzero((labelled == 0) & (answers > 0)):
        name = test.classes[k]
        often = "always" if answers[k] == len(test) else f"in {answers[k]} of {len(test)} cases"
        why = (
            f"class {name} is {often} the answer and never the label: if the column {prefix}_{name} is no "
            "class, rename it"
        )
        findings.append(warning("answered_class_without_label", why, int(answers[k]), len(test)))
    return findings


def few_patients(test: Predictions, by: Sequence[str] = ()) -> list[Finding]:
    """``few_patients``: judged cases of fewer than 20 patients, in all or in a group."""
    if test.patients is None:
        return []
    count = int(test.patients.n_unique())
    if count < FEW_PATIENTS:
        why = (
            f"the judged cases are of {count} patient{'s' * (count != 1)}: below {FEW_PATIENTS} intervals "
            "are a rough guide, however many cases there are"
        )
        return [warning("few_patients", why, count, len(test))]
    counts = {name: int(test.patients[rows].n_unique()) for name, rows in groups(test.metadata, by)}
    small = {name: n for name, n in counts.items() if n < FEW_PATIENTS}
    if not small:
        return []
    names = shorten(f"{name} ({n})" for name, n in small.items())
    why = f"groups of fewer than {FEW_PATIENTS} patients: {names}; their intervals are a rough guide"
    return [warning("few_patients", why, min(small.values()), len(test))]


def fitted_on_val(fit: Predictions, test: Predictions) -> list[Finding]:
    """``fitted_on_val``: fit rows on which the network was stopped or chosen."""
    count = validation_rows(fit)
    return [warning("fitted_on_val", on_val(count, len(fit)), count, len(test))] if count else []


def on_val(count: int, n: int) -> str:
    """What ``count`` validation rows among n fit rows do to whatever is fitted on them, in a sentence."""
    return (
        f"{count} of {n} fit rows are validation rows, on which the network was stopped or chosen: it does "
        "better there than on new cases, so recalibration and thresholds are too sure; fit on cal rows"
    )


def few_fit_rows(fit: Predictions, test: Predictions) -> list[Finding]:
    """``few_fit_rows``: fewer than 100, or of fewer than 20 patients."""
    sentence = few_rows(fit)
    return (
        [warning("few_fit_rows", f"recalibration was fitted on {sentence}", len(fit), len(test))]
        if sentence
        else []
    )


def few_rows(fit: Predictions) -> str:
    """How few the rows or the patients are that something was fitted on, and what that means; else empty."""
    if len(fit) < FEW_FIT_ROWS:
        return f"{len(fit)} rows; below {FEW_FIT_ROWS} it is mostly noise"
    patients = FEW_FIT_PATIENTS if fit.patients is None else fit.patients.n_unique()
    if patients >= FEW_FIT_PATIENTS:
        return ""
    return f"{len(fit)} rows of {patients} patients; below {FEW_FIT_PATIENTS} patients it is mostly noise"


def few_critical_fit_rows(fit: Predictions, test: Predictions, critical: Bools | None) -> list[Finding]:
    """``few_critical_fit_rows``: fewer than 30 of a critical class; ``critical`` (K, K) bool or None.

    Where patients are known they are counted, since cases of one patient are alike. The rate said to be
    possible is the exact one-sided 95 % bound after no error in k of them, 1 − 0.05^(1/k).
    """
    if critical is None:
        return []
    at = critical_classes(critical)[fit.labels]
    k = int(at.sum() if fit.patients is None else fit.patients.filter(pl.Series(at)).n_unique())
    if k >= FEW_CRITICAL_FIT_ROWS:
        return []
    why = "no fit row is of a critical class: nothing that was fitted has seen one"
    if k:
        rows = f"{k} fit {'row is' if k == 1 else 'rows are'} of a critical class"
        people = (
            f"{k} patient{'s' * (k > 1)} among the fit rows {'has' if k == 1 else 'have'} a critical class"
        )
        why = (
            f"{rows if fit.patients is None else people}; even without an error among them a critical error "
            f"rate of {1 - 0.05 ** (1 / k):.0%} stays possible"
        )
    return [warning("few_critical_fit_rows", why, k, len(test))]


def class_without_fit_rows(fit: Predictions, test: Predictions) -> list[Finding]:
    """``class_without_fit_rows``: classes that no fit row is labelled with."""
    absent = np.flatnonzero(np.bincount(fit.labels, minlength=len(fit.classes)) == 0)
    if not len(absent):
        return []
    names = shorten(fit.classes[k] for k in absent)
    why = f"no fit row is labelled {names}: what was fitted cannot know how the model errs there"
    return [warning("class_without_fit_rows", why, len(absent), len(test))]


def prevalence_shift(fit: Predictions, test: Predictions) -> list[Finding]:
    """``prevalence_shift``: class shares of fit and judged rows differ beyond chance.

    By :mod:`primum.judge.statistics.homogeneity`. Every patient counts once, with the first case by id.
    """
    parts = (fit, test)
    labels = [part.labels[first_cases(part)] for part in parts]
    counts = np.stack([np.bincount(part, minlength=len(test.classes)) for part in labels])
    present = counts.sum(axis=0) > 0
    counts, names = counts[:, present], np.array(test.classes)[present]
    p = homogeneity.p_value(counts)
    if p >= CHANCE:
        return []
    shares = counts / counts.sum(axis=1, keepdims=True)
    k = int(np.abs(shares[0] - shares[1]).argmax())
    why = (
        f"class shares of fit and judged {_units(fit, test)} differ beyond chance ({names[k]} "
        f"{shares[0, k]:.0%} against {shares[1, k]:.0%}): recalibration and Bayes decisions may not hold here"
    )
    return [warning("prevalence_shift", why, p, len(test))]


def confidence_shift(fit: Predictions, test: Predictions) -> list[Finding]:
    """``confidence_shift``: the largest probability is distributed otherwise in fit and judged rows.

    Two-sample Kolmogorov–Smirnov test on each patient's first case by id and on the probabilities as the
    model gave them; its p-value is exact where one side has fewer than 100 units, asymptotic otherwise (which
    with 4 against 4 speaks in three audits of a hundred). It needs no labels and says nothing of the cause.
    """
    confidences = [part.probs.max(axis=1)[first_cases(part)] for part in (fit, test)]
    # the asymptotic p-value is too small for small samples, the exact one slow for large ones
    smallest = min(map(len, confidences)) < FEW_UNITS
    p = float(ks_2samp(*confidences, method="exact" if smallest else "asymp").pvalue)
    if p >= CHANCE:
        return []
    medians = [float(np.median(part)) for part in confidences]
    why = (
        f"the confidence of fit and judged {_units(fit, test)} differs beyond chance (Kolmogorov–Smirnov, "
        f"median {medians[0]:.3f} against {medians[1]:.3f}): a fitted threshold may accept another share here"
    )
    return [warning("confidence_shift", why, p, len(test))]


def same_outputs(fit: Predictions, test: Predictions) -> list[Finding]:
    """``same_outputs``: more judged cases have the very outputs of a fit row than chance explains.

    Outputs are compared in single precision. A patient counts with one case, the one whose outputs have the
    smallest hash, so that copies under other names pick the same one; the number said is that of all cases.
    """
    codes = {"fit": _codes(fit), "test": _codes(test)}
    if coincidence.spanning(_one_code(fit, codes["fit"]), _one_code(test, codes["test"])) >= CHANCE:
        return []
    count = int(np.isin(codes["test"], codes["fit"]).sum())
    why = (
        f"{count} judged cases have, digit for digit, the outputs of a fit row under another id, more than "
        "chance explains: what was fitted may be judged on its own cases here"
    )
    return [warning("same_outputs", why, count, len(test))]


def _codes(table: Predictions) -> NDArray[np.uint64]:
    """(N,) hash of each row of outputs in single precision."""
    outputs = np.ascontiguousarray(table.logits, dtype=np.float32) + np.float32(0)  # no negative zeros
    return pl.from_numpy(outputs).hash_rows().to_numpy()


def _one_code(table: Predictions, codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    if table.patients is None:
        return codes
    frame = pl.DataFrame({"patient": table.patients, "code": codes})
    return frame.group_by("patient").agg(pl.col("code").min())["code"].to_numpy()


def first_cases(table: Predictions) -> Integers:
    """Row of each patient's first case by id; every row where patients are not known."""
    if table.patients is None:
        return np.arange(len(table))
    by_id = table.ids.arg_sort()
    return by_id.gather(table.patients.gather(by_id).arg_unique()).to_numpy().astype(np.int64)


def _units(fit: Predictions, test: Predictions) -> str:
    return "rows" if test.patients is None or fit.patients is None else "patients"
