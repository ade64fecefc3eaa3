"""What a confidence score may look at: the judged rows, the rows trained on, and the rows fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ParamSpec, Protocol, TypeVar

from sklearn.neighbors import NearestNeighbors

from primum.core.arrays import Bools, Floats, Integers, Reals
from primum.core.check import InputError
from primum.judge.confidence.combined import Combined, learn
from primum.judge.confidence.distance import Mahalanobis, fit_mahalanobis, fit_neighbours
from primum.judge.confidence.multilayer import Multilayer, Profile, fit_multilayer, fit_profile
from primum.judge.confidence.sirc import Sirc, fit_sirc
from primum.judge.confidence.vim import Head, Residual, Vim, fit_residual, fit_vim, recover_head
from primum.judge.recalibration.recalibrators import Temperature, fit_temperature

P = ParamSpec("P")
T = TypeVar("T")


class Trained(Protocol):
    """What scores need of training rows: learned of the rows themselves, or read from a file.

    Each property is what was learned, or the sentence why it cannot be; ``width`` is D.
    """

    @property
    def width(self) -> int | None: ...
    @property
    def mahalanobis(self) -> Mahalanobis | str: ...
    @property
    def neighbours(self) -> NearestNeighbors | str: ...
    @property
    def head(self) -> Head | str: ...
    @property
    def vim(self) -> Vim | str: ...
    @property
    def residual(self) -> Residual | str: ...
    @property
    def stage_widths(self) -> tuple[int, ...] | None: ...
    @property
    def multilayer(self) -> Multilayer | str: ...
    @property
    def profile(self) -> Profile | str: ...
    @property
    def sirc_residual(self) -> Sirc | str: ...
    @property
    def sirc_multilayer(self) -> Sirc | str: ...


class Fitted(Protocol):
    """What scores need of fit rows, or the sentence why it is not there."""

    @property
    def temperature(self) -> Temperature | str: ...
    @property
    def combined(self) -> Combined | str: ...


@dataclass(frozen=True, eq=False)
class Reference:
    """Rows the network was trained on; what is learned of them is learned once.

    Attributes:
        embeddings: (M, D), or None. labels: (M,) class indices, -1 unknown.
        logits: (M, K) true logits, or None. stages: of each stage of the network (M, 2 C), or None.

    The properties hold what was learned, or the sentence why it cannot be.
    """

    embeddings: Reals | None
    labels: Integers
    logits: Reals | None = None
    stages: tuple[Reals, ...] | None = None

    @property
    def width(self) -> int | None:
        """Numbers of an embedding, None without any."""
        return None if self.embeddings is None else int(self.embeddings.shape[1])

    @cached_property
    def mahalanobis(self) -> Mahalanobis | str:
        """Class means and shared covariance."""
        labelled = self.labels >= 0
        if self.embeddings is None or not labelled.any():
            return (
                "the training rows carry no embeddings"
                if labelled.any()
                else "the training rows have no labels"
            )
        return _or_why(fit_mahalanobis, self.embeddings[labelled], self.labels[labelled])

    @cached_property
    def neighbours(self) -> NearestNeighbors | str:
        """Training embeddings ready to be searched, or a sentence."""
        if self.embeddings is None:
            return "the training rows carry no embeddings"
        return _or_why(fit_neighbours, self.embeddings)

    @cached_property
    def head(self) -> Head | str:
        """The last layer, recovered from embeddings and logits."""
        if self.embeddings is None or self.logits is None:
            lack = (
                "embeddings"
                if self.embeddings is None
                else "true logits, which the last layer is recovered from"
            )
            return f"the training rows carry no {lack}"
        return _or_why(recover_head, self.embeddings, self.logits)

    @cached_property
    def vim(self) -> Vim | str:
        """Residual space and the weight of the virtual logit."""
        if isinstance(self.head, str):
            return self.head
        assert self.embeddings is not None
        return _or_why(fit_vim, self.embeddings, self.head)

    @cached_property
    def residual(self) -> Residual | str:
        """The space the training rows least fill, or a sentence."""
        if self.embeddings is None:
            return "the training rows carry no embeddings"
        return _or_why(fit_residual, self.embeddings)

    @property
    def stage_widths(self) -> tuple[int, ...] | None:
        """Numbers of each stage, None without any."""
        return None if self.stages is None else tuple(int(stage.shape[1]) for stage in self.stages)

    @cached_property
    def multilayer(self) -> Multilayer | str:
        """Mean and covariance of what every stage saw, or a sentence."""
        if self.stages is None:
            return "the training rows carry no features of stages"
        return _or_why(fit_multilayer, self.stages)

    @cached_property
    def profile(self) -> Profile | str:
        """How strange the stages are together, or a sentence."""
        if isinstance(self.multilayer, str):
            return self.multilayer
        assert self.stages is not None
        return fit_profile(self.multilayer, self.stages)

    @cached_property
    def sirc_residual(self) -> Sirc | str:
        """How ``residual`` of the training rows lies, or a sentence."""
        if isinstance(self.residual, str):
            return self.residual
        assert self.embeddings is not None
        return fit_sirc(self.residual(self.embeddings))

    @cached_property
    def sirc_multilayer(self) -> Sirc | str:
        """How ``multilayer`` of the training rows lies, or a sentence."""
        if isinstance(self.multilayer, str):
            return self.multilayer
        assert self.stages is not None
        return fit_sirc(-self.multilayer.of_training(self.stages).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Fit:
    """Rows that are neither trained on nor judged.

    Attributes:
        logits: (F, K) logits or log-probabilities. labels: (F,) class indices.
        correct: (F,) bool, whether the answers in question are right.
        confidence: score name → (F,), those that the judged rows have too.
    """

    logits: Reals
    labels: Integers
    correct: Bools
    confidence: Mapping[str, Floats] = field(default_factory=dict)

    @cached_property
    def temperature(self) -> Temperature:
        """Of least NLL."""
        return fit_temperature(self.logits, self.labels)

    @cached_property
    def combined(self) -> Combined | str:
        """The learned combination, or the sentence why there is none."""
        return _or_why(learn, self.confidence, self.correct)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of N cases whose answers are to be trusted or not.

    Attributes:
        probs: (N, K). logits: (N, K) true logits, None where only probabilities are known.
        embeddings: (N, D), or None. stages: of each stage of the network (N, 2 C), or None.
        outside: score name → (N,), columns of the table and scores over passes.
        reference: what was learned of training rows, or None. fit: the same of fit rows, or None.
        decisions: (N,) class index, the answers in question; None where a score does not depend on them.
        cost: (K, K) or None. critical: (K, K) bool or None; rows true, columns decided.
    """

    probs: Reals
    logits: Reals | None = None
    embeddings: Reals | None = None
    outside: Mapping[str, Floats] = field(default_factory=dict)
    reference: Trained | None = None
    fit: Fitted | None = None
    decisions: Integers | None = None
    cost: Floats | None = None
    critical: Bools | None = None
    stages: tuple[Reals, ...] | None = None


def _or_why(learned: Callable[P, T], *rows: P.args, **options: P.kwargs) -> T | str:
    """What is learned, or the sentence why it cannot be."""
    try:
        return learned(*rows, **options)
    except InputError as error:
        return str(error)
