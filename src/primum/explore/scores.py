"""Every confidence score of several tables of one model, computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from primum.auditing.answers import Scoring, columns_of, evidence_of, learned
from primum.auditing.options import OPERATING_COVERAGE
from primum.core import archives
from primum.core.arrays import Array, Floats
from primum.core.version import __version__
from primum.explore.storage import store
from primum.judge.confidence import ALONE, LEARNED, Evidence, Reference, confidences
from primum.judge.metrics.selective import threshold_at_coverage
from primum.predictions import Predictions

SENTENCES = "said"  # key of the text among the arrays of a stored file


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of several tables.

    Attributes:
        values: of each table, name → (N,).
        thresholds: name → the threshold that accepts 80 % of the fit rows.
        missing: name → why it does not apply to every table.
    """

    values: list[dict[str, Floats]]
    thresholds: dict[str, float]
    missing: dict[str, str]


def scored(
    tables: Sequence[Predictions],
    fit: Predictions | None,
    train: Predictions | None,
    read_from: Predictions,
    cache: Path | None = None,
) -> Scored:
    """Every score that applies to each table, as an audit with the same fit and train rows has them.

    Args:
        tables: of one model, in one order of classes. fit: labelled rows to fit on, or None.
        train: rows the network was trained on, or None.
        read_from: rows that thresholds are read from where the fit rows have no such score.
        cache: folder that keeps what is computed from training rows, or None. A damaged file is written anew.
    """
    if train is None and fit is None:
        return _compute(tables, fit, train, read_from)
    file = None if cache is None else cache / f"{_key([*tables, read_from], fit, train)}.npz"
    stored = None if file is None else _unpacked(archives.cached(file), [len(table) for table in tables])
    if stored is not None:
        return stored
    computed = _compute(tables, fit, train, read_from)
    if file is not None:
        store(file, _packed(computed))
    return computed


def of_new(table: Predictions, fit: Predictions | None, train: Predictions | None) -> dict[str, Floats]:
    """Every score of a new row (or several) of the same network, name → (N,).

    ViM's layer is recovered from the training rows and not held against these: one row has no spread.
    """
    scores = _compute([table], fit, train, table).values[0]
    evidence = replace(evidence_of(table, reference_of(fit, train)), logits=None)
    return scores | confidences(evidence, ("vim",))[0]


def reference_of(fit: Predictions | None, train: Predictions | None) -> Reference | None:
    """What scores learned of the training rows, once for all who ask; None without any."""
    return _scoring(fit, train).reference


def _compute(
    tables: Sequence[Predictions], fit: Predictions | None, train: Predictions | None, read_from: Predictions
) -> Scored:
    scoring = _scoring(fit, train)
    pairs = [scoring.of(table) for table in tables]
    values = [dict(scores) for scores, _ in pairs]
    missing = {name: why for _, reasons in reversed(pairs) for name, why in reasons.items()}
    of_fit: dict[str, Floats] = {}
    if fit is None:
        missing |= confidences(Evidence(tables[0].probs), LEARNED)[1]
    else:
        of_fit = dict(scoring.of_fit)
        common = {name: score for name, score in of_fit.items() if all(name in scores for scores in values)}
        additions, reasons = learned(scoring.of_rule(fit.correct, common), [*tables, fit], [*values, of_fit])
        for scores, addition in zip([*values, of_fit], additions, strict=True):
            scores |= addition
        missing |= reasons
    at = next((row for row, table in enumerate(tables) if table is read_from), 0)
    thresholds = {
        name: threshold_at_coverage(of_fit.get(name, values[at].get(name, score)), OPERATING_COVERAGE)
        for scores in values
        for name, score in scores.items()
    }
    return Scored(values, thresholds, missing)


@lru_cache(maxsize=8)
def _scoring(fit: Predictions | None, train: Predictions | None) -> Scoring:
    return Scoring(fit, train)


def _key(tables: Sequence[Predictions], fit: Predictions | None, train: Predictions | None) -> str:
    digest = hashlib.sha256(f"{__version__} {ALONE} {LEARNED}".encode())
    for table in (*tables, fit, train):
        if table is None:
            digest.update(b"none")
            continue
        arrays = [
            table.labels, table.logits, table.embeddings, *(table.stages or ()), *columns_of(table).values(),
        ]  # fmt: skip
        digest.update(f"{table.kind} {table.classes} {sorted(columns_of(table))}".encode())
        for array in arrays:
            if array is not None:
                digest.update(f"{array.shape} {array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _packed(computed: Scored) -> dict[str, Array]:
    text = json.dumps({"thresholds": computed.thresholds, "missing": computed.missing})
    arrays = {
        f"{at}/{name}": score for at, scores in enumerate(computed.values) for name, score in scores.items()
    }
    return {SENTENCES: np.array(text), **arrays}


def _unpacked(arrays: Mapping[str, Array] | None, sizes: Sequence[int]) -> Scored | None:
    """Scores of tables of these sizes, None where something else is stored."""
    if arrays is None or SENTENCES not in arrays:
        return None
    values: list[dict[str, Floats]] = [{} for _ in sizes]
    for key, score in arrays.items():
        at, _, name = key.partition("/")
        if key == SENTENCES:
            continue
        if not at.isdecimal() or int(at) >= len(sizes) or score.shape != (sizes[int(at)],):
            return None
        values[int(at)][name] = score
    try:
        content = json.loads(str(arrays[SENTENCES]))
        return Scored(values, content["thresholds"], content["missing"])
    except (ValueError, KeyError, TypeError):
        return None
