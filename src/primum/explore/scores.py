"""Every confidence score of several tables of one model, computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from primum.auditing.answers import beside, evidence_of, reference_of
from primum.auditing.options import OPERATING_COVERAGE
from primum.core.arrays import Array, Floats
from primum.core.version import __version__
from primum.explore.storage import keep, kept
from primum.judge.confidence import ALONE, LEARNED, Evidence, Fit, Reference, confidences
from primum.judge.metrics.selective import threshold_at_coverage
from primum.predictions import Predictions

SAID = "said"


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
        cache: folder that keeps what is computed from training rows, or None. A damaged file is made anew.
    """
    if train is None and fit is None:
        return _computed(tables, fit, train, read_from)
    file = None if cache is None else cache / f"{_key([*tables, read_from], fit, train)}.npz"
    held = None if file is None else _unpacked(kept(file), [len(table) for table in tables])
    if held is not None:
        return held
    found = _computed(tables, fit, train, read_from)
    if file is not None:
        keep(file, _packed(found))
    return found


def of_new(table: Predictions, fit: Predictions | None, train: Predictions | None) -> dict[str, Floats]:
    """Every score of a new row (or several) of the same network, name → (N,).

    ViM's layer is recovered from the training rows and not held against these: one row has no spread.
    """
    found = _computed([table], fit, train, table).values[0]
    evidence = replace(evidence_of(table, _reference(train)), logits=None)
    return found | confidences(evidence, ("vim",))[0]


def _computed(
    tables: Sequence[Predictions], fit: Predictions | None, train: Predictions | None, read_from: Predictions
) -> Scored:
    plain, reference = _fitted(fit), _reference(train)
    found = [confidences(evidence_of(table, reference, plain), ALONE) for table in tables]
    values = [dict(one) for one, _ in found]
    missing = {name: why for _, reasons in reversed(found) for name, why in reasons.items()}
    seen: dict[str, Floats] = {}
    if fit is None or plain is None:
        missing |= confidences(Evidence(tables[0].probs), LEARNED)[1]
    else:
        seen = dict(_of_fit(fit, train))
        shared = {name: score for name, score in seen.items() if all(name in one for one in values)}
        learned = Fit(fit.logits, fit.labels, fit.correct, shared)
        for table, known in [*zip(tables, values, strict=True), (fit, seen)]:
            made, why = confidences(Evidence(table.probs, outside=dict(known), fit=learned), LEARNED)
            known |= {name: made[name] for name in LEARNED if name in made}
            missing |= why
    at = next((row for row, table in enumerate(tables) if table is read_from), 0)
    own = values[at]
    thresholds = {
        name: threshold_at_coverage(seen.get(name, own.get(name, score)), OPERATING_COVERAGE)
        for one in values
        for name, score in one.items()
    }
    return Scored(values, thresholds, missing)


@lru_cache(maxsize=8)
def _fitted(fit: Predictions | None) -> Fit | None:
    return None if fit is None else Fit(fit.logits, fit.labels, fit.correct)


@lru_cache(maxsize=8)
def _reference(train: Predictions | None) -> Reference | None:
    return None if train is None else reference_of(train)


@lru_cache(maxsize=8)
def _of_fit(fit: Predictions, train: Predictions | None) -> dict[str, Floats]:
    return confidences(evidence_of(fit, _reference(train), _fitted(fit)), ALONE)[0]


def _key(tables: Sequence[Predictions], fit: Predictions | None, train: Predictions | None) -> str:
    digest = hashlib.sha256(f"{__version__} {ALONE} {LEARNED}".encode())
    for table in (*tables, fit, train):
        if table is None:
            digest.update(b"none")
            continue
        arrays = [table.labels, table.logits, table.embeddings, *beside(table).values()]
        digest.update(f"{table.kind} {table.classes} {sorted(beside(table))}".encode())
        for array in arrays:
            if array is not None:
                digest.update(f"{array.shape} {array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _packed(found: Scored) -> dict[str, Array]:
    said = json.dumps({"thresholds": found.thresholds, "missing": found.missing})
    arrays = {f"{at}/{name}": score for at, one in enumerate(found.values) for name, score in one.items()}
    return {SAID: np.array(said), **arrays}


def _unpacked(held: Mapping[str, Array] | None, sizes: Sequence[int]) -> Scored | None:
    """Scores of tables of these sizes, None where something else is held."""
    if held is None or SAID not in held:
        return None
    values: list[dict[str, Floats]] = [{} for _ in sizes]
    for key, score in held.items():
        at, _, name = key.partition("/")
        if key == SAID:
            continue
        if not at.isdecimal() or int(at) >= len(sizes) or score.shape != (sizes[int(at)],):
            return None
        values[int(at)][name] = score
    try:
        said = json.loads(str(held[SAID]))
        return Scored(values, said["thresholds"], said["missing"])
    except (ValueError, KeyError, TypeError):
        return None
