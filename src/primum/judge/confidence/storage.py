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
from primum.judge.confidence.multilayer import Multilayer, Profile, Stage
from primum.judge.confidence.sirc import Sirc
from primum.judge.confidence.vim import Head, Residual, Vim
from primum.judge.recalibration.recalibrators import Temperature

ARRAYS = {  # score → the names of its arrays
    "mahalanobis": ("mahalanobis_centre", "mahalanobis_whiten", "mahalanobis_means"),
    "knn": ("knn_embeddings",),
    "vim": ("vim_weight", "vim_bias", "vim_spread", "vim_origin", "vim_residual", "vim_alpha"),
    "vim_residual": ("residual_origin", "residual_space"),
    "multilayer": ("stage_shapes", "stage_centres", "stage_whitens", "stage_levels", "stage_spreads"),
    "stage_profile": (
        "stage_shapes", "stage_centres", "stage_whitens", "stage_levels", "stage_spreads", "profile_centre",
        "profile_whiten", "profile_scale",
    ),
    "sirc_residual": ("residual_origin", "residual_space", "sirc_residual"),
    "sirc_multilayer": (
        "stage_shapes", "stage_centres", "stage_whitens", "stage_levels", "stage_spreads", "sirc_multilayer",
    ),
}  # fmt: skip
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
        sides = (("mahalanobis_centre", 0), ("knn_embeddings", 1), ("vim_origin", 0), ("residual_origin", 0))
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

    @cached_property
    def residual(self) -> Residual | str:
        """The space the training rows least fill, or a sentence."""
        if "residual_origin" not in self.arrays:
            return NOT_STORED
        return Residual(self.arrays["residual_origin"], self.arrays["residual_space"])

    @property
    def stage_widths(self) -> tuple[int, ...] | None:
        """Numbers of each stage, None without any."""
        return None if isinstance(self.multilayer, str) else self.multilayer.widths

    @cached_property
    def multilayer(self) -> Multilayer | str:
        """Mean and covariance of what every stage saw, or a sentence."""
        if "stage_shapes" not in self.arrays:
            return NOT_STORED
        shapes, centres, whitens, levels, spreads = (self.arrays[name] for name in ARRAYS["multilayer"])
        ends = np.cumsum(np.vstack([[0, 0], np.column_stack([shapes[:, 0], shapes.prod(axis=1)])]), axis=0)
        return Multilayer(
            tuple(
                Stage(
                    centres[ends[at, 0] : ends[at + 1, 0]],
                    whitens[ends[at, 1] : ends[at + 1, 1]].reshape(*shapes[at]),
                    float(levels[at]),
                    float(spreads[at]),
                )
                for at in range(len(shapes))
            )
        )

    @cached_property
    def profile(self) -> Profile | str:
        """How strange the stages are together, or a sentence."""
        if isinstance(self.multilayer, str) or "profile_centre" not in self.arrays:
            return NOT_STORED
        return Profile(self.multilayer, *(self.arrays[name] for name in ARRAYS["stage_profile"][-3:]))

    @property
    def sirc_residual(self) -> Sirc | str:
        """How ``residual`` of the training rows lies, or a sentence."""
        return self._sirc("sirc_residual")

    @property
    def sirc_multilayer(self) -> Sirc | str:
        """How ``multilayer`` of the training rows lies, or a sentence."""
        return self._sirc("sirc_multilayer")

    def _sirc(self, name: str) -> Sirc | str:
        return Sirc(*self.arrays[name].tolist()) if name in self.arrays else NOT_STORED


@dataclass(frozen=True, eq=False)
class StoredFit:
    """What some scores learned of fit rows, or the sentence why they did not."""

    temperature: Temperature | str = UNFITTED
    combined: Combined | str = UNFITTED


def arrays_of(reference: Reference, names: Sequence[str]) -> dict[str, Array]:
    """Name → array: what the named scores need of training rows, none of which lacks anything.

    Class means and covariance of ``mahalanobis``; the last layer, the residual space and α of ``vim``; for
    ``knn`` the embeddings themselves, as they came; origin and residual space of ``vim_residual``; the stages
    of ``multilayer`` one after another, of ``stage_profile`` their covariance too; a and b of a SIRC beside
    what its second score needs.
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
    if {"vim_residual", "sirc_residual"} & set(names):
        residual = reference.residual
        assert isinstance(residual, Residual)
        arrays |= dict(zip(ARRAYS["vim_residual"], (residual.origin, residual.residual), strict=True))
    if {"multilayer", "sirc_multilayer", "stage_profile"} & set(names):
        arrays |= _of_stages(reference)
    if "stage_profile" in names:
        profile = reference.profile
        assert isinstance(profile, Profile)
        of_profile = (profile.centre, profile.whiten, profile.scale)
        arrays |= dict(zip(ARRAYS["stage_profile"][-3:], of_profile, strict=True))
    for name in ("sirc_residual", "sirc_multilayer"):
        if name in names:
            learned = getattr(reference, name)
            assert isinstance(learned, Sirc)
            arrays[name] = np.array([learned.a, learned.b])
    return arrays


def _of_stages(reference: Reference) -> dict[str, Array]:
    fitted = reference.multilayer
    assert isinstance(fitted, Multilayer)
    parts = (
        np.array([stage.whiten.shape for stage in fitted.stages]),
        np.concatenate([stage.centre for stage in fitted.stages]),
        np.concatenate([stage.whiten.ravel() for stage in fitted.stages]),
        np.array([stage.level for stage in fitted.stages]),
        np.array([stage.spread for stage in fitted.stages]),
    )
    return dict(zip(ARRAYS["multilayer"], parts, strict=True))


def check_arrays(
    arrays: Mapping[str, Array], names: Sequence[str], width: int, stages: Sequence[int], where: str
) -> None:
    """Refuse arrays of which the named scores cannot be computed.

    Args:
        width: numbers of an embedding. stages: numbers of each stage. where: used in messages.
    """
    reference, trial = StoredReference(arrays), np.zeros((1, width))
    seen = [np.zeros((1, part)) for part in stages]
    computed: dict[str, Callable[[], Floats]] = {
        "mahalanobis": lambda: reference.mahalanobis(trial),  # type: ignore[operator]
        "knn": lambda: knn(trial, reference.neighbours),
        "vim": lambda: reference.vim(trial),  # type: ignore[operator]
        "vim_residual": lambda: reference.residual(trial),  # type: ignore[operator]
        "multilayer": lambda: reference.multilayer(seen),  # type: ignore[operator]
        "stage_profile": lambda: reference.profile(seen),  # type: ignore[operator]
    }
    computed["sirc_residual"] = lambda: reference.sirc_residual(  # type: ignore[operator]
        [0.5], computed["vim_residual"]()
    )
    computed["sirc_multilayer"] = lambda: reference.sirc_multilayer(  # type: ignore[operator]
        [0.5], computed["multilayer"]()
    )
    for name in names:
        # an infinite second score leaves a SIRC finite
        parts = (name.replace("sirc_residual", "vim_residual").removeprefix("sirc_"), name)
        try:
            with np.errstate(all="ignore"):
                scores = [computed[part]() for part in parts]
            fitting = all(score.shape == (1,) and bool(np.isfinite(score).all()) for score in scores)
        except (InputError, TypeError, ValueError, IndexError, KeyError):
            fitting = False
        if not fitting:
            raise InputError(f"{where}: the score {name} cannot be computed from these arrays; fit it again")
