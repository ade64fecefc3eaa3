"""Threshold, share deferred and failure cost of every score, and what each policy came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator

from primum.judge.finding import Finding


def _finding(content: Finding | Mapping[str, object]) -> Finding:
    return content if isinstance(content, Finding) else Finding.from_dict(content)


Achieved = Annotated[Finding, PlainValidator(_finding), PlainSerializer(Finding.to_dict)]


@dataclass(frozen=True, kw_only=True)
class CostCurve:
    """Failure cost against the share deferred, a point for each threshold of the judged rows.

    Attributes:
        threshold: accept at or above it; None where everything is deferred or accepted.
        deferred: share of the judged rows below it.
        failure, failure_with_reader: cost as a share of that without deferral, with a reader free of cost and
            with the stated one; None where nothing is lost without deferral, or no reader is stated.
    """

    threshold: Sequence[float | None]
    deferred: Sequence[float]
    failure: Sequence[float] | None
    failure_with_reader: Sequence[float] | None = None


@dataclass(frozen=True, kw_only=True)
class FittedCurve:
    """The same at thresholds read on the fit rows.

    Attributes:
        share: deferred on the fit rows. All others: as of :class:`CostCurve`.
    """

    share: Annotated[Sequence[float], Field(alias="wanted")]
    threshold: Sequence[float | None]
    deferred: Sequence[float]
    failure: Sequence[float] | None
    failure_with_reader: Sequence[float] | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreCurves:
    """One confidence score. judged: its curve on the judged rows. fitted: or None without fit rows."""

    score: str
    judged: Annotated[CostCurve, Field(alias="own")]
    fitted: FittedCurve | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyThreshold:
    """A threshold of a policy and what it did on the fit rows, as in the policy's file."""

    group: str
    threshold: float | None
    deferred_share: float
    critical_coverage: float | None = None
    verdict: str = "fitted"
    why: str = ""
    n: int | None = None
    units: int | None = None
    risk: float | None = None
    p: float | None = None
    level: float | None = None
    vacuous: bool = False
    cleared: float | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyVeto:
    """The question a policy asks before confidence, as in its file."""

    score: str
    threshold: float
    rate: float
    bound: float
    k: int
    units: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class PolicyAttainable:
    """What one alpha would have come to on the fit rows, tried alone, as in the policy's file."""

    alpha: float
    cleared: float | None
    deferred_share: float


@dataclass(frozen=True, kw_only=True)
class StoppedCase:
    """A case that a policy with a veto sent to a reader.

    Attributes:
        id: of the case. label: class name, None where it is not known. predicted: the answer not used.
        critical: whether that is a critical error, None without label or critical cells.
        value: novelty score, or confidence, by which it was stopped. path: of the image, or None.
    """

    id: str
    label: str | None
    predicted: str
    critical: bool | None = None
    value: float
    path: str | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyGates:
    """Judged cases on their way through a policy that asks two questions, one after the other.

    Attributes:
        n: judged cases. unfamiliar: stopped by the veto. unsure: of the others stopped by their confidence.
        harmless, critical: answered with a class that is not critical, with one that is; None without
            critical cells, as negatives, cleared and errors.
        negatives: cases of classes that are not critical. cleared: of these answered harmless. errors:
            critical errors that are answered.
        most_novel, least_sure: up to six cases stopped at each question, the clearest first.
    """

    n: int
    unfamiliar: int
    unsure: int
    harmless: int | None = None
    critical: int | None = None
    negatives: int | None = None
    cleared: int | None = None
    errors: int | None = None
    most_novel: Sequence[StoppedCase] = ()
    least_sure: Sequence[StoppedCase] = ()


@dataclass(frozen=True, kw_only=True)
class PolicyTrial:
    """A score that was tried for a promise, and what came of it."""

    score: str
    verdict: str
    deferred_share: float


@dataclass(frozen=True, kw_only=True)
class PolicyRows:
    """The rows a policy was fitted on, by counts."""

    name: str
    n: int
    patients: int | None = None
    learned_on: int = 0
    counts: Mapping[str, int] | None = None
    deferred_share: float | None = None
    fingerprint: str = ""
    units: int | None = None
    deferred_units: int | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyRecord:
    """A policy and what it achieved on the judged rows.

    Attributes:
        name: empty in audits from before policies had names. sentence: what it promises.
        tried: scores that were tried for the promise; empty in audits from before they were counted.
        veto, tolerated: None and empty in audits from before there was a veto.
        attainable: empty without a promise about all critical cases, and in older audits. gates: what the
            veto and the threshold did on the judged rows; None without a veto, and in older audits.
        achieved: findings on the judged rows. All others: as in the policy's file.
    """

    name: str = ""
    score: str
    learned_from: Sequence[str] | None = None
    decision: str
    calibrated: str
    kind: str
    target: str | None = None
    capacity: float | None = None
    alpha: float | None = None
    delta: float | None = None
    denominator: str | None = None
    sentence: Annotated[str, Field(alias="said")]
    verdict: str
    tried: Sequence[PolicyTrial] = ()
    direction: str
    by: str | None = None
    thresholds: Sequence[PolicyThreshold]
    notes: Sequence[str] = ()
    fit: PolicyRows
    veto: PolicyVeto | None = None
    tolerated: Sequence[str] = ()
    attainable: Sequence[PolicyAttainable] = ()
    gates: PolicyGates | None = None
    achieved: Sequence[Achieved] = ()


@dataclass(frozen=True, kw_only=True)
class CostRatioCurve:
    """Cost of one way of answering as a critical error weighs as much as ever more false alarms.

    Attributes:
        rule: ``"argmax"`` or ``"given"``, whose answers stay the same, or ``"bayes"``, decided anew at each
            ratio; of a policy, the rule whose answers it accepts, which stay the same.
        calibrated: recalibrator whose probabilities it decides on. policy: its name, or None without one.
        reader_cost: of one deferral in false alarms, 0 with a reader free of cost; None without a policy.
        reader_errs: whether that reader may be wrong.
        ratio: cost of a critical error over that of a false alarm, rising.
        cost: expected cost over that of the best constant answer: above 1 is worse than ignoring the image.
        low, high: ends of its 95 % interval, each ratio by itself.
    """

    rule: str
    calibrated: str
    policy: str | None = None
    reader_cost: float | None = None
    reader_errs: bool = False
    ratio: Sequence[float]
    cost: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class DeferralSection:
    """What deferring buys, by score, and what the policies achieved.

    Attributes:
        decision, calibrated: whose answers are deferred. direction: how a threshold is read.
        unit: ``"cost"``, or ``"errors"`` without a severity matrix.
        reader_cost: of one deferral, or None. reader_errs: whether the stated reader may be wrong.
        cost_without_deferral: mean cost a case. scores, policies: or empty.
        ratios: a curve of each rule, then of each policy, with a reader free of cost and with the stated one;
            empty in audits from before there were any. ratios_why_not: why there are none, or empty.
    """

    decision: str = "argmax"
    calibrated: str | None = None
    direction: str = "accept at or above"
    unit: str = "cost"
    reader_cost: float | None = None
    reader_errs: bool = False
    cost_without_deferral: float | None = None
    scores: Sequence[ScoreCurves] = ()
    policies: Sequence[PolicyRecord] = ()
    ratios: Sequence[CostRatioCurve] = ()
    ratios_why_not: str = ""
