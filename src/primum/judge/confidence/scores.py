"""Every confidence score, and all that is said of it anywhere: one entry of SCORES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.confidence import consequences, distance, logit, softmax
from primum.judge.confidence.combined import Combined
from primum.judge.confidence.evidence import Evidence
from primum.judge.confidence.needs import NEEDS
from primum.judge.confidence.sirc import Sirc, doubt
from primum.judge.recalibration.recalibrators import Temperature

ABSENT = "no column {column} came with the table"
NO_PASSES = (
    "neither stochastic passes nor a column {column} came with the table; primum predict --passes writes it"
)
NO_CONFIDNET = f"{ABSENT}; train with confidnet in the recipe"
NO_GAMBLERS = f"{ABSENT}; train with the loss deep_gamblers"
CONFIDNET: Literal["ConfidNet"] = "ConfidNet"
GAMBLERS: Literal["Deep Gamblers"] = "Deep Gamblers"


@dataclass(frozen=True)
class Score:
    """A confidence score, higher = more trustworthy.

    Attributes:
        name: as in ``score_<name>`` of a table. sentence: what a report calls it. source: where it is from.
        needs: names of :data:`~primum.judge.confidence.needs.NEEDS`, asked in this order.
        compute: evidence → (N,); None for a score that only a column of the table can bring.
        absent: what is said where there is no such column; ``{column}`` is its name.
        ranked: whether an audit or a bench reports it, or why it does not apply, without being asked.
        learned: whether it is learned from one rule's errors; any other is the same whatever is answered.
        novelty: place among the scores that ask only whether a case was seen, from 1, the best; 0 for others.
        passes: whether it speaks of the answers of the mean softmax over dropout passes.
        network: the further network that computes it: a second head, or one with an answer of its own.
        place: where its curve stands among those drawn first, from 1; 0 for those behind them by name.
    """

    name: str
    sentence: str
    source: str
    needs: tuple[str, ...] = ()
    compute: Callable[[Evidence], Floats] | None = None
    absent: str = ABSENT
    ranked: bool = True
    learned: bool = False
    novelty: int = 0
    passes: bool = False
    network: Literal["", "ConfidNet", "Deep Gamblers"] = ""
    place: int = 0


def _of_probs(function: Callable[[ArrayLike], Floats]) -> Callable[[Evidence], Floats]:
    return lambda evidence: function(evidence.probs)


def _of_logits(function: Callable[[ArrayLike], Floats]) -> Callable[[Evidence], Floats]:
    def compute(evidence: Evidence) -> Floats:
        assert evidence.logits is not None
        return function(evidence.logits)

    return compute


def _temperature(evidence: Evidence) -> Floats:
    assert evidence.fit is not None
    assert isinstance(evidence.fit.temperature, Temperature)
    with np.errstate(divide="ignore"):
        return softmax.msr(evidence.fit.temperature(np.log(evidence.probs)))


def _of_reference(name: str) -> Callable[[Evidence], Floats]:
    return lambda evidence: getattr(evidence.reference, name)(evidence.embeddings)


def _knn(evidence: Evidence) -> Floats:
    assert evidence.reference is not None
    assert evidence.embeddings is not None
    return distance.knn(evidence.embeddings, evidence.reference.neighbours)


def _of_stages(name: str) -> Callable[[Evidence], Floats]:
    return lambda evidence: getattr(evidence.reference, name)(evidence.stages)


def _sirc(second: str) -> Callable[[Evidence], Floats]:
    def compute(evidence: Evidence) -> Floats:
        assert evidence.reference is not None
        learned = getattr(evidence.reference, f"sirc_{second}")
        assert isinstance(learned, Sirc)
        score = (_of_stages if second == "multilayer" else _of_reference)(second)
        return learned(doubt(evidence.probs), score(evidence))

    return compute


def _combined(evidence: Evidence) -> Floats:
    assert evidence.fit is not None
    assert isinstance(evidence.fit.combined, Combined)
    return evidence.fit.combined(evidence.outside)


def _critical_mass(evidence: Evidence) -> Floats:
    assert evidence.decisions is not None
    assert evidence.critical is not None
    return consequences.critical_mass(evidence.probs, evidence.decisions, evidence.critical)


def _expected_cost(evidence: Evidence) -> Floats:
    assert evidence.decisions is not None
    assert evidence.cost is not None
    return consequences.expected_cost(evidence.probs, evidence.decisions, evidence.cost)


MAXIMUM = "Hendrycks & Gimpel, ICLR 2017"
ENTROPY = "Shannon, Bell System Technical Journal 1948"
DROPOUT = "Gal & Ghahramani, ICML 2016"
STABLE = "docs/explanations.md"

WAYS = (  # how several answers to one case come about
    ("mcd", "passes with dropout", DROPOUT),
    ("tta", "mild changes of the image", "Wang et al., Neurocomputing 2019"),
    ("ensemble", "members", "Lakshminarayanan et al., NeurIPS 2017"),
)
SPREADS = (  # what is measured over them: name, sentence, source where it is not that of the way
    ("msr", "the highest probability of the average over {several}", ""),
    ("pe", "the entropy of the average over {several}", ""),
    ("ee", "the average entropy of each of the {several}", "Smith & Gal, UAI 2018"),
    (
        "mi", "the entropy that only the average over {several} has (mutual information)",
        "Houlsby et al., arXiv 1112.5745",
    ),
    ("variance", "the variance of the probabilities over {several}", ""),
    (
        "waic", "the answer's mean probability less its standard deviation over {several}",
        "Choi et al., arXiv 1810.01392",
    ),
    ("disagreement", "the share of {several} that answer otherwise", "Freeman, Wiley 1965"),
)  # fmt: skip
DRAWN_OVER_PASSES = {"mcd_msr": 3, "mcd_mi": 11}


def _over(way: str, several: str, source: str) -> list[Score]:
    """The scores over several answers; an audit looks for those of dropout passes, but for disagreement."""
    return [
        Score(
            f"{way}_{name}", sentence.format(several=several), paper or source,
            absent=NO_PASSES if way == "mcd" else ABSENT, ranked=way == "mcd" and name != "disagreement",
            passes=way == "mcd", place=DRAWN_OVER_PASSES.get(f"{way}_{name}", 0),
        )
        for name, sentence, paper in SPREADS
    ]  # fmt: skip


MCD, TTA, ENSEMBLE = (_over(*way) for way in WAYS)

# The order is that of an audit's findings: `combined` stands behind the scores it is learned from.
_ENTRIES = (
    Score("msr", "the highest probability", MAXIMUM, (), _of_probs(softmax.msr), place=1),
    Score(
        "margin", "the lead over the second class", "Scheffer et al., IDA 2001", (), _of_probs(softmax.margin)
    ),
    Score("pe", "the entropy of the probabilities", ENTROPY, (), _of_probs(softmax.pe), place=10),
    Score(
        "gini", "the sum of the squared probabilities", "Granese et al., NeurIPS 2021", (),
        _of_probs(softmax.gini),
    ),
    Score(
        "max_logit", "the highest logit", "Hendrycks et al., ICML 2022", ("logits",),
        _of_logits(logit.max_logit),
    ),
    Score(
        "energy", "the logarithm of the sum of the exponentials of the logits", "Liu et al., NeurIPS 2020",
        ("logits",), _of_logits(logit.energy), place=9,
    ),
    Score(
        "msr_temperature", "the highest probability after temperature scaling", "Guo et al., ICML 2017",
        ("fit", "temperature"), _temperature,
    ),
    *(score for score in MCD if score.ranked),
    Score(
        "confidnet", "the probability of the true class as a second head foretells it",
        "Corbière et al., NeurIPS 2019", absent=NO_CONFIDNET, network=CONFIDNET, place=4,
    ),
    Score(
        "mcd_confidnet", "the same, the average over passes with dropout", "Corbière et al., NeurIPS 2019",
        absent=f"{NO_CONFIDNET} and predict with --passes", passes=True, network=CONFIDNET,
    ),
    Score(
        "dg", "one minus the probability of the class by which the network abstains",
        "Liu et al., NeurIPS 2019", absent=NO_GAMBLERS, network=GAMBLERS, place=5,
    ),
    Score(
        "dg_mcd_msr", "the highest probability of that network's average over passes with dropout",
        "Liu et al., NeurIPS 2019", absent=f"{NO_GAMBLERS} and predict with --passes", passes=True,
        network=GAMBLERS,
    ),
    Score(
        "mahalanobis",
        "the distance to the nearest class mean of the training rows, in their spread, negated",
        "Lee et al., NeurIPS 2018", ("embeddings", "mahalanobis"), _of_reference("mahalanobis"), place=7,
    ),
    Score(
        "knn", "the distance to the 50th nearest training row, negated", "Sun et al., ICML 2022",
        ("embeddings", "neighbours"), _knn, novelty=4, place=8,
    ),
    Score(
        "vim", "energy less what the embedding has outside the space of the training rows",
        "Wang et al., CVPR 2022", ("embeddings", "vim", "head"), _of_reference("vim"), place=6,
    ),
    Score(
        "vim_residual", "what the embedding has outside the space of the training rows, negated",
        "Wang et al., CVPR 2022", ("embeddings", "residual"), _of_reference("residual"), novelty=3,
    ),
    Score(
        "multilayer", "the distance of what every stage of the network sees to the training rows, negated",
        "Lee et al., NeurIPS 2018", ("stages", "multilayer"), _of_stages("multilayer"),
        novelty=2,
    ),
    Score(
        "stage_profile", "how strange the strangest stage of the network is, and all together, negated",
        "docs/methods.md#confidence-scores", ("stages", "multilayer", "profile"), _of_stages("profile"),
        novelty=1,
    ),
    Score(
        "sirc_residual", "the highest probability, lowered softly by vim_residual",
        "Xia & Bouganis, ACCV 2022", ("embeddings", "residual"), _sirc("residual"),
    ),
    Score(
        "sirc_multilayer", "the highest probability, lowered softly by multilayer",
        "Xia & Bouganis, ACCV 2022", ("stages", "multilayer"), _sirc("multilayer"),
    ),
    Score(
        "combined", "the probability of being right, learned from several of these on the fit rows",
        "docs/methods.md#confidence-scores", ("fit", "combined"), _combined, learned=True, place=2,
    ),
    *(score for score in MCD if not score.ranked),
    *TTA,
    *ENSEMBLE,
    Score(
        "stability_spearman",
        "rank correlation of the explanation before and after mild changes of the image", STABLE,
        ranked=False,
    ),
    Score("stability_ssim", "structural similarity of the same", STABLE, ranked=False),
    Score("stability_iou", "overlap of the hottest tenth of the same", STABLE, ranked=False),
    Score(
        "stability_shift", "the way the explanation's centre of mass moved, negated", STABLE, ranked=False
    ),
    Score(
        "critical_mass", "one minus the probability that the answer is a critical error",
        "docs/methods.md#deferral", ("critical", "decisions"), _critical_mass, ranked=False,
    ),
    Score(
        "expected_cost", "the expected cost of the answer, negated", "Chow, IEEE Trans. Inf. Theory 1970",
        ("cost", "decisions"), _expected_cost, ranked=False,
    ),
    Score(
        "learned", "learned from several scores", "docs/methods.md#deferral", ranked=False,
        absent="it belongs to a policy over several scores; name those",
    ),
)  # fmt: skip
SCORES = {score.name: score for score in _ENTRIES}
RANKED = tuple(score.name for score in _ENTRIES if score.ranked)
LEARNED = tuple(score.name for score in _ENTRIES if score.learned)
ALONE = tuple(name for name in RANKED if name not in LEARNED)
PROBABILITIES = tuple(score.name for score in _ENTRIES if score.compute is not None and not score.needs)
OF_ANSWERS = {"fit", "temperature", "combined", "decisions"}
UNFITTED = tuple(  # that owe nothing to fit rows or to what was answered there
    score.name for score in _ENTRIES if score.compute is not None and not set(score.needs) & OF_ANSWERS
)
NOVELTY = tuple(
    score.name for score in sorted(_ENTRIES, key=lambda score: score.novelty) if score.novelty
)  # the best first
CONSEQUENCES = tuple(score.name for score in _ENTRIES if "decisions" in score.needs)


def not_applicable(name: str, evidence: Evidence) -> str:
    """Why a score of :data:`SCORES` cannot be computed, or an empty text. Its needs are asked in their order.

    ``combined`` looks for its inputs in ``evidence.outside``, where :func:`confidences` puts them.

    Raises InputError for a name that is not known.

    >>> not_applicable("energy", Evidence(np.array([[0.8, 0.2]])))
    'true logits are needed, the table holds probabilities'
    """
    check.one_of(name, tuple(SCORES), "score")
    if name in evidence.outside:
        return ""
    score = SCORES[name]
    if score.compute is None:
        return score.absent.format(column=f"score_{name}")
    return next((why for why in (NEEDS[need](evidence) for need in score.needs) if why), "")


def confidences(
    evidence: Evidence, names: tuple[str, ...] = RANKED
) -> tuple[dict[str, Floats], dict[str, str]]:
    """Every score that applies, and why the others do not.

    Args:
        evidence: of N cases; a score in ``outside`` replaces ours of the same name.
        names: those of :data:`SCORES` to compute.

    Returns:
        Score name → (N,), further ones of ``outside`` last; and name → reason.

    >>> scores, missing = confidences(Evidence(np.array([[0.75, 0.25]])), ("msr", "margin", "energy"))
    >>> scores["msr"].tolist(), scores["margin"].tolist(), list(missing)
    ([0.75], [0.5], ['energy'])
    """
    scores: dict[str, Floats] = {}
    missing: dict[str, str] = {}
    for name in names:
        enriched = replace(evidence, outside={**scores, **evidence.outside})
        why = not_applicable(name, enriched)
        if why:
            missing[name] = why
        else:
            compute = SCORES[name].compute
            scores[name] = (
                evidence.outside[name] if name in evidence.outside or compute is None else compute(enriched)
            )
    return scores | {name: score for name, score in evidence.outside.items() if name not in scores}, missing
