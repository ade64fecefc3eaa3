"""What a model said about each case: the table everything to the right of the model starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from primum.core import check, names, ties
from primum.core.arrays import Array, Bools, Floats, Integers, Reals
from primum.core.check import InputError

Kind = Literal["logits", "log_probabilities"]
# no table in text can hold a null byte, so that no patient is called so
NOBODY = "\x00case "


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers of one model for N cases and K classes.

    Attributes:
        ids: (N,) unique case names.
        classes: the K class names, in the order of the columns of ``logits``.
        labels: (N,) int, index of the true class, -1 where it is not known.
        logits: (N, K) float, finite; log-probabilities may hold -inf (a probability of exactly 0).
        kind: what ``logits`` holds, ``"logits"`` or ``"log_probabilities"``; declared, never guessed.
        passes: (S, N, K) float logits of S stochastic passes, or None.
        embeddings: (N, D) float, what the last layer saw, or None.
        stages: of each stage of the network (N, 2 C) float, the means of its C channels over an image, then
            their standard deviations; or None.
        scores: name → (N,) float outside confidence scores, higher = more trustworthy.
        decision: (N,) int, the class a fixed operating point chose, or None.
        metadata: N rows of any further columns (patient, site, split, shift, path, …).
        source: what is known of the origin (network, loss, data), JSON-ready.
        notes: what the reader noticed and let pass, one sentence each.

    >>> table = Predictions(["a", "b"], ("benign", "malignant"), [0, 1], [[2.0, 0.0], [0.5, 0.5]])
    >>> table
    Predictions('predictions', 2 cases, benign, malignant)
    >>> table.probs.round(3).tolist()
    [[0.881, 0.119], [0.5, 0.5]]

    Raises:
        InputError: when shapes disagree, ids repeat, values are not finite or labels lie outside the classes.
    """

    ids: pl.Series
    classes: tuple[str, ...]
    labels: Integers
    logits: Reals
    kind: Kind = "logits"
    passes: Reals | None = None
    embeddings: Reals | None = None
    stages: tuple[Reals, ...] | None = None
    scores: Mapping[str, Floats] = field(default_factory=dict)
    decision: Integers | None = None
    metadata: pl.DataFrame = field(default_factory=pl.DataFrame)
    source: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    name: str = "predictions"

    def __post_init__(self) -> None:
        where = self.name
        ids = (
            self.ids
            if isinstance(self.ids, pl.Series)
            else names.settled(pl.Series("id", check.array(self.ids)))
        )
        fields: dict[str, Any] = {
            "ids": ids.cast(pl.String).alias("id"),
            "classes": check.class_names(self.classes, where),
            "labels": check.indices(self.labels, where, "labels"),
            "logits": check.numbers(self.logits, where, "logits"),
            "scores": {
                name: ties.widened(check.numbers(score, where, f"score_{name}")).astype(np.float64)
                for name, score in self.scores.items()
            },
        }
        for noun in ("passes", "embeddings"):
            if getattr(self, noun) is not None:
                fields[noun] = check.numbers(getattr(self, noun), where, noun)
        if self.stages is not None:
            fields["stages"] = tuple(check.numbers(stage, where, "stages") for stage in self.stages)
        if self.decision is not None:
            fields["decision"] = check.indices(self.decision, where, "decision")
        for noun, value in fields.items():
            object.__setattr__(self, noun, value)
        if self.kind not in ("logits", "log_probabilities"):
            raise InputError(f"{where}: kind must be 'logits' or 'log_probabilities', {self.kind!r} arrived")
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        n, k = len(self.ids), len(self.classes)
        if n == 0:
            raise InputError(f"{self.name}: at least one case is needed, the table is empty")
        expected: list[tuple[str, Any, tuple[int | None, ...]]] = [
            ("labels", self.labels, (n,)),
            ("logits", self.logits, (n, k)),
            ("passes", self.passes, (None, n, k)),
            ("embeddings", self.embeddings, (n, None)),
            *(("stages", stage, (n, None)) for stage in self.stages or ()),
            ("decision", self.decision, (n,)),
            *((f"score_{name}", score, (n,)) for name, score in self.scores.items()),
        ]
        for noun, array, shape in expected:
            if array is None:
                continue
            fits = array.ndim == len(shape) and all(
                size in (None, length) for size, length in zip(shape, array.shape, strict=True)
            )
            if not fits:
                dimensions = " × ".join("any" if size is None else str(size) for size in shape)
                raise InputError(
                    f"{self.name}: {noun} must have shape {dimensions} for {n} cases and {k} classes, "
                    f"{' × '.join(map(str, array.shape))} arrived"
                )
        if self.metadata.width and self.metadata.height != n:
            raise InputError(
                f"{self.name}: {n} cases need {n} rows of metadata, {self.metadata.height} arrived"
            )

    def _check_values(self) -> None:
        missing = int(self.ids.null_count()) + int((self.ids == "").sum())
        if missing:
            raise InputError(
                f"{self.name}: every case needs an id, {missing} have none; number the rows if need be"
            )
        if self.ids.n_unique() != len(self.ids):
            repeated = len(self.ids) - int(self.ids.n_unique())
            first = int(np.flatnonzero(self.ids.is_duplicated().to_numpy())[0])
            raise InputError(
                f"{self.name}: ids must be unique, {repeated} rows repeat one (first in row {first + 1}); "
                "give each row its own id and keep the patient in a column named patient"
            )
        for noun, indices, lowest in (("labels", self.labels, -1), ("decision", self.decision, 0)):
            if indices is not None and (indices.min() < lowest or indices.max() >= len(self.classes)):
                raise InputError(
                    f"{self.name}: {noun} must be class indices from {lowest} to {len(self.classes) - 1}"
                )
        if self.kind == "logits":
            check.finite(self.logits, self.name, "logits")
        else:
            totals = np.exp(self.logits, dtype=np.float64).sum(axis=1)
            if not (np.abs(totals - 1) <= check.SUM_TOLERANCE).all():  # also where one is NaN
                row = int(np.argmin(np.abs(totals - 1) <= check.SUM_TOLERANCE))
                raise InputError(
                    f"{self.name}: the exponentials of a case's log-probabilities must sum to 1, "
                    f"row {row + 1} sums to {totals[row]:.4g}; declare kind 'logits' if these are logits"
                )
        stages = [("stages", stage) for stage in self.stages or ()]
        for noun, array in (("passes", self.passes), ("embeddings", self.embeddings), *stages):
            if array is not None:
                check.finite(array.reshape(-1, array.shape[-1]), self.name, noun)
        for name, score in self.scores.items():
            check.finite(score, self.name, f"score_{name}")

    def __repr__(self) -> str:
        return f"Predictions({self.name!r}, {len(self):,} cases, {check.shorten(self.classes)})"

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def log_probs(self) -> Floats:
        """(N, K) natural logarithms of the probabilities."""
        logits = np.asarray(self.logits, dtype=np.float64)
        if self.kind == "log_probabilities":
            return logits
        # the largest is taken off first: a sum as large as the logits would cost the last digits
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float64)

    @cached_property
    def probs(self) -> Floats:
        """(N, K) probabilities; rows sum to 1."""
        return np.exp(self.log_probs)

    @cached_property
    def predicted(self) -> Integers:
        """(N,) most probable class; the first of them where several are equal up to rounding."""
        return ties.first_largest(self.logits)

    @cached_property
    def correct(self) -> Bools:
        """(N,) whether the most probable class is the label; meaningless where the label is unknown."""
        return np.asarray(self.predicted == self.labels)

    @property
    def patients(self) -> pl.Series | None:
        """(N,) patient of each case, or None without a ``patient`` column or with an empty one.

        A case whose patient is not known counts as a patient of its own.
        """
        if "patient" not in self.metadata.columns:
            return None
        patients = self.metadata["patient"]
        if patients.dtype != pl.String:  # of a table that no reader spelled
            patients = names.settled(patients)
        if patients.null_count() == len(patients):
            return None
        return (
            patients
            if not patients.null_count()
            else patients.zip_with(patients.is_not_null(), NOBODY + self.ids)
        )

    def take(self, rows: Array) -> Predictions:
        """The cases at integer or boolean ``rows``, with everything known of them.

        >>> table = Predictions(["a", "b"], ("benign", "malignant"), [0, 1], [[2.0, 0.0], [0.5, 0.5]])
        >>> table.take(np.array([False, True])).ids.to_list()
        ['b']
        """
        at = np.arange(len(self))[rows]
        index = pl.Series(at, dtype=pl.UInt32)
        return replace(
            self,
            ids=self.ids.gather(index),
            labels=self.labels[at],
            logits=self.logits[at],
            passes=None if self.passes is None else self.passes[:, at],
            embeddings=None if self.embeddings is None else self.embeddings[at],
            stages=None if self.stages is None else tuple(stage[at] for stage in self.stages),
            scores={name: score[at] for name, score in self.scores.items()},
            decision=None if self.decision is None else self.decision[at],
            metadata=self.metadata[index] if self.metadata.width else self.metadata,
        )

    @classmethod
    def from_probs(
        cls, ids: Any, classes: Sequence[str], labels: Any, probs: Reals, **fields: Any
    ) -> Predictions:
        """Build from probabilities (N, K); rows off their sum, by up to 1e-2 or by what rounding
        explains (:func:`check.probabilities`), are renormalised, with a note."""
        name = str(fields.get("name", "predictions"))
        normalised, off = check.probabilities(ties.widened(check.array(probs)), name, classes)
        with np.errstate(divide="ignore"):
            logs = np.log(normalised)
        notes = tuple(fields.pop("notes", ()))
        if off:
            notes += (
                f"the probabilities of {off} cases, off their sum by more than 0.001, were renormalised",
            )
        return cls(ids, tuple(classes), labels, logs, "log_probabilities", notes=notes, **fields)
