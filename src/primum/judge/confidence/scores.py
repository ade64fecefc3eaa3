"""Every confidence score of METHODS §4: what it needs, and one pure function of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.confidence import distance, logit
from primum.judge.confidence.combined import Combined
from primum.judge.confidence.evidence import Evidence
from primum.judge.confidence.softmax import PROBABILITIES, msr
from primum.judge.confidence.vim import EXACT, Head

NONE = "no column {column} came with the table"
PASSES = (
    "neither stochastic passes nor a column {column} came with the table; primum predict --passes writes it"
)
CONFIDNET = f"{NONE}; train with confidnet in the recipe"
GAMBLERS = f"{NONE}; train with the loss deep_gamblers"
COLUMNS = {
    "confidnet": CONFIDNET,
    "mcd_confidnet": f"{CONFIDNET} and predict with --passes",
    "dg": GAMBLERS,
    "dg_mcd_msr": f"{GAMBLERS} and predict with --passes",
}
Why = Callable[[Evidence], str]


@dataclass(frozen=True)
class Score:
    """A confidence score, higher = more trustworthy.

    Attributes:
        needs: names of :data:`NEEDS`, asked in this order.
        of: evidence → (N,); None for a score that only a column of the table can bring.
        column: what is said where there is no such column.
    """

    needs: tuple[str, ...] = ()
    of: Callable[[Evidence], Floats] | None = None
    column: str = ""


def _softmax(function: Callable[[Any], Floats]) -> Score:
    return Score((), lambda evidence: function(evidence.probs))


def _temperature(evidence: Evidence) -> Floats:
    assert evidence.fit is not None
    with np.errstate(divide="ignore"):
        return msr(evidence.fit.temperature(np.log(evidence.probs)))


def _learned(name: str) -> Callable[[Evidence], Floats]:
    return lambda evidence: getattr(evidence.reference, name)(evidence.embeddings)


def _knn(evidence: Evidence) -> Floats:
    assert evidence.reference is not None
    return distance.knn(evidence.embeddings, evidence.reference.neighbours)


def _combined(evidence: Evidence) -> Floats:
    assert evidence.fit is not None
    assert isinstance(evidence.fit.combined, Combined)
    return evidence.fit.combined(evidence.outside)


SCORES: dict[str, Score] = {
    **{name: _softmax(function) for name, function in PROBABILITIES.items()},
    "max_logit": Score(("logits",), lambda evidence: logit.max_logit(evidence.logits)),
    "energy": Score(("logits",), lambda evidence: logit.energy(evidence.logits)),
    "msr_temperature": Score(("fit",), _temperature),
    **{f"mcd_{name}": Score(column=PASSES) for name in ("msr", "pe", "ee", "mi", "variance", "waic")},
    **{name: Score(column=why) for name, why in COLUMNS.items()},
    "mahalanobis": Score(("embeddings", "mahalanobis"), _learned("mahalanobis")),
    "knn": Score(("embeddings", "neighbours"), _knn),
    "vim": Score(("embeddings", "vim", "head"), _learned("vim")),
    "combined": Score(("fit", "combined"), _combined),
}


def _no_embeddings(evidence: Evidence) -> str:
    if evidence.embeddings is None:
        return "the table carries no embeddings"
    if evidence.reference is None:
        return "no training rows with embeddings were given (--train)"
    theirs = evidence.reference.embeddings
    if theirs is not None and theirs.shape[1] != evidence.embeddings.shape[1]:
        return (
            f"embeddings of {evidence.embeddings.shape[1]} numbers need training rows of the same network, "
            f"theirs have {theirs.shape[1]}"
        )
    return ""


def _unlearned(name: str) -> Why:
    return lambda evidence: _sentence(getattr(evidence.reference, name))


def _sentence(learned: object) -> str:
    return learned if isinstance(learned, str) else ""


def _other_head(evidence: Evidence) -> str:
    """Judged rows with logits of their own must agree with the recovered layer."""
    assert evidence.reference is not None
    head = evidence.reference.head
    if evidence.logits is None or not isinstance(head, Head):
        return ""
    off = head.off(evidence.embeddings, evidence.logits)
    if off <= EXACT:
        return ""
    return (
        f"the last layer recovered from the training rows leaves {off:.1%} of the spread of these logits "
        f"unexplained, at most {EXACT:.0%} was expected"
    )


def _uncombined(evidence: Evidence) -> str:
    assert evidence.fit is not None
    learned = evidence.fit.combined
    if isinstance(learned, str):
        return learned
    lacking = [name for name in learned.log_odds.scores if name not in evidence.outside]
    return f"it was learned from {check.shorten(lacking)}, which these rows lack" if lacking else ""


NEEDS: dict[str, Why] = {
    "logits": lambda evidence: (
        "" if evidence.logits is not None else "true logits are needed, the table holds probabilities"
    ),
    "fit": lambda evidence: "" if evidence.fit is not None else "no rows to fit on were given",
    "embeddings": _no_embeddings,
    "mahalanobis": _unlearned("mahalanobis"),
    "neighbours": _unlearned("neighbours"),
    "vim": _unlearned("vim"),
    "head": _other_head,
    "combined": _uncombined,
}


def not_applicable(score: str, evidence: Evidence) -> str:
    """Why a score of :data:`SCORES` cannot be computed, or an empty text. Its needs are asked in their order.

    ``combined`` looks for its inputs in ``evidence.outside``, where :func:`confidences` puts them.

    Raises InputError for a name that is not known.
    """
    check.one_of(score, tuple(SCORES), "score")
    if score in evidence.outside:
        return ""
    asked = SCORES[score]
    if asked.of is None:
        return asked.column.format(column=f"score_{score}")
    return next((why for why in (NEEDS[need](evidence) for need in asked.needs) if why), "")


def confidences(
    evidence: Evidence, names: tuple[str, ...] = tuple(SCORES)
) -> tuple[dict[str, Floats], dict[str, str]]:
    """Every score that applies, and why the others do not.

    Args:
        evidence: of N cases; a score in ``outside`` replaces ours of the same name.
        names: those of :data:`SCORES` to compute.

    Returns:
        Score name → (N,), further ones of ``outside`` last; and name → reason.
    """
    found: dict[str, Floats] = {}
    missing: dict[str, str] = {}
    for name in names:
        known = replace(evidence, outside={**found, **evidence.outside})
        why = not_applicable(name, known)
        if why:
            missing[name] = why
        else:
            of = SCORES[name].of
            found[name] = evidence.outside[name] if name in evidence.outside or of is None else of(known)
    return found | {name: score for name, score in evidence.outside.items() if name not in found}, missing
