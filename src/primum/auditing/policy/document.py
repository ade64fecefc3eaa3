"""A deferral policy: which answers are used and which go to a reader, as a file that stands alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from primum.core import check, documents, files, hashes
from primum.core.check import InputError
from primum.judge.deferral.certify import COVERAGES, Denominator, Method

SCHEMA = "primum.policy/1"
DIRECTION = "accept at or above"
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
        denominator: ``accepted`` critical cases (or cases), or ``all`` of them, a deferred one being safe.
        method: ``sequence`` or ``bonferroni``. coverages: shares of units whose thresholds are tried.
        unit: with patients, ``one`` case each or each patient's ``worst``; without, each ``case``.
    """

    risk: Literal["cer", "expected_cost"] = "cer"
    alpha: float = 0.02
    delta: float = 0.05
    denominator: Denominator = "accepted"
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
        whose = {"one": ", one case per patient", "worst": ", each patient's worst"}.get(self.unit, "")
        most = percent(self.alpha)
        risk = (
            f"at most {most} of {unit} {error}"
            if self.risk == "cer"
            else f"the mean cost of {unit} is at most {most} of the largest cost"
        )
        return f"with {percent(1 - self.delta)} confidence, {risk}{whose}"


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
        vacuous: certified, but every case of the promise is deferred.
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


@dataclass(frozen=True, config=CONFIG)
class Policy:
    """A confidence score, a threshold and a direction, fitted on rows that it refuses to judge.

    Attributes:
        score: name of the confidence score; ``learned`` is made of several.
        direction: always ``accept at or above``; scores are higher where an answer is more trustworthy.
        thresholds: group → threshold; without ``by`` the only group is ``all``.
        by: column of the groups, or null.
        kind: ``capacity``, ``cost`` or ``certified``.
        target: what was held or least: ``deferred_share``, ``failure_cost``, ``cer`` or ``expected_cost``.
        capacity: largest share deferred, or null. reader: the stated reader, or null. promise: or null.
        verdict: ``fitted``, ``certified``, ``partly_certified`` (not for every group) or ``not_certifiable``.
        tried: of a certified policy every score that was tried in the same call, k of them, each held to a
            share delta / k of the promise; empty otherwise, and in files from before tries were counted.
        notes: what a reader must know, one sentence each.
        classes: class names; matrices and recalibrators are in this order.
        outputs: ``logits`` or ``log_probabilities``, what the table's numbers are.
        decision: ``argmax``, ``bayes`` or ``given``. recalibrator: ``form`` and its numbers.
        learned: or null. severity: fields of a severity file, or null. critical: [true, decided] pairs.
        fit: the rows.
    """

    score: str
    thresholds: dict[str, Threshold]
    by: str | None
    kind: Kind
    target: Target
    classes: tuple[str, ...]
    outputs: Literal["logits", "log_probabilities"]
    decision: Rule
    recalibrator: dict[str, Any]
    fit: FitRows
    verdict: Verdict = "fitted"
    capacity: float | None = None
    reader: StatedReader | None = None
    promise: Promise | None = None
    learned: LearnedScore | None = None
    tried: tuple[Tried, ...] = ()
    severity: dict[str, Any] | None = None
    critical: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    direction: Literal["accept at or above"] = "accept at or above"

    @property
    def said(self) -> str:
        """What the policy holds to, in words."""
        if self.promise is not None:
            return self.promise.said
        if self.capacity is not None:
            return f"at most {percent(self.capacity)} of the fit rows are deferred"
        assert self.reader is not None
        errs = "" if self.reader.error is None else " who errs at the stated rates"
        return f"least failure cost on the fit rows with a reader{errs} at {self.reader.cost:g} a case"

    @property
    def threshold(self) -> float:
        """The only threshold; InputError where each group has its own."""
        if self.by is not None:
            raise InputError(f"this policy has a threshold for each {self.by}, read policy.thresholds")
        return self.thresholds["all"].threshold

    def to_dict(self) -> dict[str, Any]:
        """Plain values, schema first, hashes last; :meth:`from_dict` reads them back."""
        content = asdict(self)
        content = {key: content[key] for key in ORDER}
        return {"schema": SCHEMA, **_listed(content)}

    def to_yaml(self, path: Path | str | None = None) -> str:
        """YAML text, written whole to ``path`` when one is given."""
        text = str(
            yaml.safe_dump(
                self.to_dict(), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
            )
        )
        if path is not None:
            with files.whole(path) as draft:
                draft.write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_dict(cls, content: Any, where: str = "policy") -> Policy:
        """Check plain values; ``where`` is used in messages. Raises InputError."""
        if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
            raise InputError(
                f"{where}: a policy of schema {SCHEMA} was expected; write it with primum defer fit"
            )
        given = {str(key): value for key, value in content.items() if key != "schema"}
        try:
            policy = TypeAdapter(cls).validate_python(given)
        except ValidationError as error:
            raise InputError(f"{where}: {_sentence(error)}") from None
        policy._refuse_odd(where)
        return policy

    @classmethod
    def read(cls, path: Path | str) -> Policy:
        """Read a policy file. Raises InputError naming the file and the field."""
        return cls.from_dict(documents.read_yaml(path, "a policy (YAML)"), Path(path).name)

    def _refuse_odd(self, where: str) -> None:
        """Refuse fields that do not fit each other, as in a damaged file."""
        check.class_names(self.classes, where)
        learned = self.learned
        lengths = () if learned is None else (len(learned.mean), len(learned.scale), len(learned.weight))
        odd = {
            "fit.row_hashes": hashes.count(self.fit.row_hashes) != self.fit.n,
            "fit.patient_hashes": hashes.count(self.fit.patient_hashes) != (self.fit.patients or 0),
            "fit.counts": not set(self.fit.counts) <= set(self.classes),
            "thresholds": not self.thresholds or (self.by is None and set(self.thresholds) != {"all"}),
            "learned": learned is not None and set(lengths) != {len(learned.scores)},
            "critical": not {name for pair in self.critical for name in pair} <= set(self.classes),
        }
        numbers = [one.threshold for one in self.thresholds.values()]
        odd["thresholds"] |= any(math.isnan(number) for number in numbers)
        damaged = next((name for name, is_odd in odd.items() if is_odd), None)
        if damaged is not None:
            raise InputError(
                f"{where}: the field {damaged!r} does not fit the others, the file is damaged; fit it again"
            )

    def refuse_fitted(self, ids: Iterable[str], patients: Iterable[str] | None, where: str) -> None:
        """Refuse rows, or patients, that the policy was fitted on; they are counted, not named."""
        key = self.fit.fingerprint
        for what, values, kept in (
            ("row", ids, self.fit.row_hashes),
            ("patient", () if patients is None else patients, self.fit.patient_hashes),
        ):
            shared = hashes.shared(kept, values, key)
            if shared:
                raise InputError(
                    f"{where}: a policy may not judge a {what} that it was fitted on, {shared} are here; "
                    "a threshold judged on its own fit rows flatters itself, so apply it to others"
                )


def percent(share: float) -> str:
    """``2 %``."""
    return f"{100 * share:.3g} %"


ORDER = (
    "score", "direction", "kind", "target", "capacity", "reader", "promise", "verdict", "tried", "by",
    "thresholds", "notes", "decision", "outputs", "classes", "recalibrator", "learned", "severity",
    "critical", "fit",
)  # fmt: skip


def _listed(content: Any) -> Any:
    """The same with lists for tuples, as YAML has them."""
    if isinstance(content, Mapping):
        return {key: _listed(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_listed(value) for value in content]
    return content


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown field {place!r}{check.nearest(place, ORDER)}"
    if first["type"] in ("missing", "missing_argument"):
        return f"the field {place!r} is missing; fit the policy again"
    reason = str(first["msg"]).replace("Input should be", "should be")
    return f"{place!r} {reason[:1].lower()}{reason[1:]}, {str(first['input'])[:60]!r} arrived"
