"""What a confidence score asks of the evidence, and the sentence that says why it is not there."""

from __future__ import annotations

from collections.abc import Callable

from primum.core import check
from primum.judge.confidence.evidence import Evidence
from primum.judge.confidence.vim import EXACT, Head

# A layer from a file may meet one row, whose residual varies more than the mean of many; that of another
# network leaves all of the spread.
OF_ONE_ROW = 10 * EXACT
Reason = Callable[[Evidence], str]  # empty where nothing lacks


def _no_embeddings(evidence: Evidence) -> str:
    if evidence.embeddings is None:
        return "the table carries no embeddings"
    if evidence.reference is None:
        return "no training rows with embeddings were given (--train)"
    width, trained = evidence.embeddings.shape[1], evidence.reference.width
    if trained is not None and trained != width:
        return f"embeddings of {width} numbers need training rows of the same network, theirs have {trained}"
    return ""


def _no_stages(evidence: Evidence) -> str:
    if evidence.stages is None:
        return "the table carries no features of stages; primum predict --embeddings writes them"
    if evidence.reference is None:
        return "no training rows with features of stages were given (--train)"
    widths, trained = tuple(stage.shape[1] for stage in evidence.stages), evidence.reference.stage_widths
    if trained is not None and trained != widths:
        return (
            f"stages of {_numbers(widths)} numbers need training rows of the same network, theirs have "
            f"{_numbers(trained)}"
        )
    return ""


def _numbers(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))


def _unlearned(name: str) -> Reason:
    return lambda evidence: _sentence(getattr(evidence.reference, name))


def _sentence(learned: object) -> str:
    return learned if isinstance(learned, str) else ""


def _foreign_head(evidence: Evidence) -> str:
    """Judged rows with logits of their own must agree with the recovered layer."""
    assert evidence.reference is not None
    assert evidence.embeddings is not None
    head = evidence.reference.head
    if evidence.logits is None or not isinstance(head, Head):
        return ""
    off = head.off(evidence.embeddings, evidence.logits)
    bound = EXACT if head.spread is None else OF_ONE_ROW
    if off <= bound:
        return ""
    return (
        f"the last layer recovered from the training rows leaves {off:.1%} of the spread of these logits "
        f"unexplained, at most {bound:.0%} was expected"
    )


def _uncombined(evidence: Evidence) -> str:
    assert evidence.fit is not None
    combined = evidence.fit.combined
    if isinstance(combined, str):
        return combined
    lacking = [name for name in combined.log_odds.scores if name not in evidence.outside]
    return f"it was learned from {check.shorten(lacking)}, which these rows lack" if lacking else ""


def _no_critical(evidence: Evidence) -> str:
    if evidence.critical is not None and evidence.critical.any():
        return ""
    return "no critical cells were given; add --severity or --critical"


NEEDS: dict[str, Reason] = {
    "logits": lambda evidence: (
        "" if evidence.logits is not None else "true logits are needed, the table holds probabilities"
    ),
    "fit": lambda evidence: "" if evidence.fit is not None else "no rows to fit on were given",
    "temperature": lambda evidence: "" if evidence.fit is None else _sentence(evidence.fit.temperature),
    "embeddings": _no_embeddings,
    "mahalanobis": _unlearned("mahalanobis"),
    "neighbours": _unlearned("neighbours"),
    "vim": _unlearned("vim"),
    "head": _foreign_head,
    "residual": _unlearned("residual"),
    "stages": _no_stages,
    "multilayer": _unlearned("multilayer"),
    "profile": _unlearned("profile"),
    "combined": _uncombined,
    "decisions": lambda evidence: "" if evidence.decisions is not None else "it speaks of answers, none came",
    "critical": _no_critical,
    "cost": lambda evidence: (
        "" if evidence.cost is not None else "no severity with costs was given; add --severity"
    ),
}
