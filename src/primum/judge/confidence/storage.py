"""What scores learned, as arrays and numbers that a file can hold, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.neighbors import NearestNeighbors

from primum.core.arrays import Array, Floats
from primum.core.check import InputError
from primum.judge.confidence.combined import Combined
from primum.judge.confidence.distance import Mahalanobis, fit_neighbours, knn
from primum.judge.confidence.evidence import Reference
from primum.judge.confidence.vim import Head, Vim
from primum.judge.recalibration.recalibrators import Temperature

ARRAYS = {  # score → the names of its arrays
    "mahalanobis": ("mahalanobis_centre", "mahalanobis_whiten", "mahalanobis_means"),
    "knn": ("knn_embeddings",),
    "vim": ("vim_weight", "vim_bias", "vim_spread", "vim_origin", "vim_residual", "vim_alpha"),
}
NOT_STORED = "what it needs of training rows does not stand in the policy; fit the policy again with --train"
UNFITTED = "what it needs of fit rows does not stand in the policy; fit the policy again"


@dataclass(frozen=True, eq=False)
class StoredReference:
    """What some scores learned of training rows, in place of the rows.

    Attributes:
        arrays: name → array, as :func:`arrays_of` gives them.
    """

    arrays: Mapping[str, Array]

    @property
    def width(self) -> int | None:
        """Numbers of an embedding."""
        sides = (("mahalanobis_centre", 0), ("knn_embeddings", 1), ("vim_origin", 0))
        return next((self.arrays[name].shape[axis] for name, axis in sides if name in self.arrays), None)

    @cached_property
    def mahalanobis(self) -> Mahalanobis | str:
        """Class means and shared covariance, or the sentence why there are none."""
        if "mahalanobis_centre" not in self.arrays:
            return NOT_STORED
        return Mahalanobis(*(self.arrays[name] for name in ARRAYS["mahalanobis"]))

    @cached_property
    def neighbours(self) -> NearestNeighbors | str:
        """The training embeddings, ready to be searched, or a sentence."""
        return (
            fit_neighbours(self.arrays["knn_embeddings"]) if "knn_embeddings" in self.arrays else NOT_STORED
        )

    @cached_property
    def head(self) -> Head | str:
        """The last layer, or a sentence; rows are held against it in the spread of the training logits."""
        if "vim_weight" not in self.arrays:
            return NOT_STORED
        return Head(self.arrays["vim_weight"], self.arrays["vim_bias"], float(self.arrays["vim_spread"]))

    @cached_property
    def vim(self) -> Vim | str:
        """Residual space and the weight of the virtual logit, or a sentence."""
        if isinstance(self.head, str):
            return self.head
        return Vim(
            self.head, self.arrays["vim_origin"], self.arrays["vim_residual"], float(self.arrays["vim_alpha"])
        )


@dataclass(frozen=True, eq=False)
class StoredFit:
    """What some scores learned of fit rows, or the sentence why they did not."""

    temperature: Temperature | str = UNFITTED
    combined: Combined | str = UNFITTED


def arrays_of(reference: Reference, names: Sequence[str]) -> dict[str, Array]:
    """Name → array: what the named scores need of training rows, none of which lacks anything.

    Class means and covariance of ``mahalanobis``; the last layer, the residual space and α of ``vim``; for
    ``knn`` the embeddings themselves, as they came.
    """
    arrays: dict[str, Array] = {}
    if "mahalanobis" in names:
        fitted = reference.mahalanobis
        assert isinstance(fitted, Mahalanobis)
        arrays |= dict(zip(ARRAYS["mahalanobis"], (fitted.centre, fitted.whiten, fitted.means), strict=True))
    if "knn" in names:
        assert reference.embeddings is not None
        arrays["knn_embeddings"] = reference.embeddings
    if "vim" in names:
        vim = reference.vim
        assert isinstance(vim, Vim)
        assert reference.logits is not None
        logits = reference.logits.astype(np.float64)
        spread = np.sqrt(np.mean((logits - logits.mean(axis=0)) ** 2))
        parts = (
            vim.head.weight, vim.head.bias, np.array(spread), vim.origin, vim.residual, np.array(vim.alpha),
        )  # fmt: skip
        arrays |= dict(zip(ARRAYS["vim"], parts, strict=True))
    return arrays


def check_arrays(arrays: Mapping[str, Array], names: Sequence[str], width: int, where: str) -> None:
    """Refuse arrays of which the named scores cannot be computed, for embeddings of ``width`` numbers."""
    reference, trial = StoredReference(arrays), np.zeros((1, width))
    computed: dict[str, Callable[[], Floats]] = {
        "mahalanobis": lambda: reference.mahalanobis(trial),  # type: ignore[operator]
        "knn": lambda: knn(trial, reference.neighbours),
        "vim": lambda: reference.vim(trial),  # type: ignore[operator]
    }
    for name in names:
        try:
            fitting = computed[name]().shape == (1,) and bool(np.isfinite(computed[name]()).all())
        except (InputError, TypeError, ValueError, IndexError, KeyError):
            fitting = False
        if not fitting:
            raise InputError(f"{where}: the score {name} cannot be computed from these arrays; fit it again")
