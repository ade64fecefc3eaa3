"""The terms of a policy: promise, thresholds, reader, what its score learned, and the rows behind it."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from primum.judge.deferral.certify import COVERAGES, Denominator, Method

CONFIG = ConfigDict(extra="forbid")
Kind = Literal["capacity", "cost", "certified"]
Target = Literal["deferred_share", "failure_cost", "cer", "expected_cost"]
Rule = Literal["argmax", "bayes", "given"]
Verdict = Literal["fitted", "certified", "partly_certified", "not_certifiable"]


@dataclass(frozen=True, config=CONFIG)
class Promise:
    """What a certified policy promises: with a chance of at least 1 − delta, the risk is at most alpha.

    Attributes:
        risk: ``cer`` (critical errors) or ``expected_cost`` (cost over the largest cost).
        alpha: largest risk. delta: chance that the promise is broken. Both above 0 and below 1.
        denominator: ``all`` critical cases (or cases), a deferred one being safe, or the ``accepted`` ones.
        method: ``sequence`` or ``bonferroni``. coverages: shares of units whose thresholds are tried. Both of
            ``accepted`` alone: among all, every threshold is tried, which costs nothing.
        unit: with patients, ``one`` case each or each patient's ``worst``; without, each ``case``.
    """

    risk: Literal["cer", "expected_cost"] = "cer"
    alpha: float = 0.02
    delta: float = 0.05
    denominator: Denominator = "all"
    method: Method = "sequence"
    unit: Literal["case", "one", "worst"] = "one"
    coverages: tuple[float, ...] = COVERAGES

    @property
    def said(self) -> str:
        """The promise in words."""
        case = "critical case" if self.risk == "cer" else "case"
        accepted = self.denominator == "accepted"
        unit, error = f"{'accepted' if accepted else 'all'} {case}s", "are critical errors"
        if self.unit == "worst":
            unit = f"patients with {'an accepted ' if accepted else 'a '}{case}"
            error = "have a critical error accepted"
        elif not accepted:
            error = "are accepted critical errors"
        unit_words = {"one": ", one case per patient", "worst": ", each patient's worst"}.get(self.unit, "")
        bound = percent(self.alpha)
        risk = (
            f"at most {bound} of {unit} {error}"
            if self.risk == "cer"
            else f"the mean cost of {unit} is at most {bound} of the largest cost"
        )
        return f"with {percent(1 - self.delta)} confidence, {risk}{unit_words}"


@dataclass(frozen=True, config=CONFIG)
class Threshold:
    """One threshold and what it did on the fit rows.

    Attributes:
        threshold: accept at or above it; ``.inf`` defers, ``-.inf`` accepts every case.
        deferred_share: share of the fit rows below it. critical_coverage: share of their critical cases at or
            above it, or null without any.
        verdict: ``fitted``, ``certified`` or ``not_certifiable``. why: what a reader must know, or empty.
        n: units below the line of the promise, units: all of them, risk: their mean loss, p: its p-value,
            level: what p had to stay at or below; null unless certified was asked for.
        vacuous: certified, but hardly a negative is cleared (below 5 %), or no case accepted at all.
        cleared: share of negatives, the fit rows of classes that are not critical, whose harmless answer is
            accepted; null where every class is critical or none is.
    """

    threshold: float
    deferred_share: float
    critical_coverage: float | None = None
    verdict: Literal["fitted", "certified", "not_certifiable"] = "fitted"
    why: str = ""
    n: int | None = None
    units: int | None = None
    risk: float | None = None
    p: float | None = None
    level: float | None = None
    vacuous: bool = False
    cleared: float | None = None


@dataclass(frozen=True, config=CONFIG)
class Veto:
    """The question before confidence: has such a case been seen?

    Attributes:
        score: name of the novelty score. threshold: a case passes at or above it.
        rate: share of known-like units vetoed, at most, on average. bound: 95 % bound of that share.
        k: rank of the threshold among the lowest scores of the units. units: independent units, patients
            where they are known. rows: fit rows kept for this question, on which no threshold was read.
    """

    score: str
    threshold: float
    rate: float
    bound: float
    k: int
    units: int
    rows: int


@dataclass(frozen=True, config=CONFIG)
class Attainable:
    """What one alpha would have come to on the fit rows, tried alone.

    Attributes:
        alpha: largest share of all critical cases with an accepted critical error.
        cleared: share of the negatives cleared at the thresholds that can be promised, 0 where none can; null
            without negatives. deferred_share: share of the threshold rows below them.
    """

    alpha: float
    cleared: float | None
    deferred_share: float


@dataclass(frozen=True, config=CONFIG)
class Tried:
    """A confidence score that was tried for a promise, and what came of it.

    Attributes:
        score: its name. verdict: as of a policy.
        deferred_share: share of the threshold rows below its thresholds, 1 where nothing could be certified.
    """

    score: str
    verdict: Verdict
    deferred_share: float


@dataclass(frozen=True, config=CONFIG)
class StatedReader:
    """Who answers deferred cases.

    Attributes:
        cost: of one deferral, in units of the severity. error: class → share answered wrongly, or null for
            never; one number stands for every class, and is written out for each.
    """

    cost: float
    error: float | dict[str, float] | None = None


@dataclass(frozen=True, config=CONFIG)
class LearnedScore:
    """A score learned over several: the log-odds of a good answer.

    ``intercept + Σ weight (score − mean) / scale``

    Attributes:
        target: ``error`` or ``critical_error``, what it was taught to foresee.
        scores, mean, scale, weight: of each score that enters. intercept: of all.
    """

    target: Literal["error", "critical_error"]
    scores: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    intercept: float


@dataclass(frozen=True, config=CONFIG)
class CombinedScore:
    """The score ``combined``: the log-odds of a right answer, as :class:`LearnedScore` adds them up.

    Attributes:
        scores, mean, scale, weight: of each score that enters, ``msr`` as its log-odds. intercept: of all.
    """

    scores: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    intercept: float


@dataclass(frozen=True, config=CONFIG)
class TrainingRows:
    """What scores need of the rows the network was trained on, in a file of arrays beside the policy.

    Attributes:
        name: of their table. n: rows. fingerprint: of them. width: numbers of an embedding.
        scores: those that need them. stages: numbers of each stage, where a score looks at stages.
        file: name of the file of arrays, in the folder of the policy; empty until it is written.
        arrays: sha256 of the arrays; others are refused.
    """

    name: str
    n: int
    fingerprint: str
    width: int
    scores: tuple[str, ...]
    arrays: str
    stages: tuple[int, ...] = ()
    file: str = field(default="", compare=False)


@dataclass(frozen=True, config=CONFIG)
class FitRows:
    """The rows a policy was fitted on, by counts and hashes; no id stands in the file.

    Attributes:
        name: of the table. n: rows. patients: patients or null.
        learned_on: rows of the learning half, on which no threshold was read; 0 without one.
        counts: class → cases, one a patient where patients are known.
        deferred_share: share of the threshold rows deferred.
        units: of the threshold rows, one a patient where patients are known; deferred_units: those deferred.
            None in files from before they were counted.
        fingerprint: of the rows. row_hashes, patient_hashes: six bytes of a keyed hash of each, in base64.
    """

    name: str
    n: int
    patients: int | None
    learned_on: int
    counts: dict[str, int]
    deferred_share: float
    fingerprint: str
    row_hashes: str
    patient_hashes: str
    units: int | None = None
    deferred_units: int | None = None


def percent(share: float) -> str:
    """``2 %``."""
    return f"{100 * share:.3g} %"
