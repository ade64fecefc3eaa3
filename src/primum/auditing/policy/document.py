"""A deferral policy: which answers are used and which go to a reader, as a file that stands alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import InstanceOf, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from primum.auditing.policy.terms import (
    CONFIG,
    Attainable,
    CombinedScore,
    FitRows,
    Kind,
    LearnedScore,
    Promise,
    Rule,
    StatedReader,
    Target,
    Threshold,
    TrainingRows,
    Tried,
    Verdict,
    Veto,
    percent,
)
from primum.core import archives, check, documents, files, hashes, settings
from primum.core.check import InputError
from primum.judge.confidence.storage import ARRAYS, StoredReference, check_arrays
from primum.judge.deferral.veto import bound, rank

SCHEMA = "primum.policy/1"
DIRECTION = "accept at or above"


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
        learned: or null.
        veto: the question asked before confidence, or null. tolerated: changes of the images that the promise
            and the veto cover too, ``gaussian_noise:1``.
        attainable: of a promise about all critical cases what other alphas would have come to on the same
            rows, each tried alone, alpha rising; empty otherwise, and in files from before they were tried.
        temperature, combined: what ``msr_temperature`` and ``combined`` learned of fit rows; training: what
            ``mahalanobis``, ``knn`` and ``vim`` need of training rows, with the arrays in ``trained``.
            Of all these nothing is in the file that the policy does without.
        severity: fields of a severity file, or null. critical: [true, decided] pairs.
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
    recalibrator: dict[str, object]
    fit: FitRows
    verdict: Verdict = "fitted"
    capacity: float | None = None
    reader: StatedReader | None = None
    promise: Promise | None = None
    learned: LearnedScore | None = None
    tried: tuple[Tried, ...] = ()
    severity: dict[str, object] | None = None
    critical: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    direction: Literal["accept at or above"] = "accept at or above"
    temperature: float | None = None
    combined: CombinedScore | None = None
    training: TrainingRows | None = None
    veto: Veto | None = None
    tolerated: tuple[str, ...] = ()
    attainable: tuple[Attainable, ...] = ()
    trained: InstanceOf[StoredReference] | None = field(default=None, compare=False, repr=False)

    @property
    def said(self) -> str:
        """What the policy holds to, in words."""
        if self.promise is not None:
            under = f", as they are and under each of {', '.join(self.tolerated)}" if self.tolerated else ""
            return f"{self.promise.said}{under}"
        if self.capacity is not None:
            return f"at most {percent(self.capacity)} of the fit rows are deferred"
        assert self.reader is not None
        errs = "" if self.reader.error is None else " who errs at the stated rates"
        return f"least failure cost on the fit rows with a reader{errs} at {self.reader.cost:g} a case"

    @property
    def question(self) -> str:
        """What the veto asks and how often it errs, in words; empty without one."""
        if self.veto is None:
            return ""
        noun = "cases" if self.fit.patients is None else "patients"
        return (
            f"the veto asks by {self.veto.score} whether a case has been seen; of {noun} like these it sends "
            f"away at most {percent(self.veto.rate)} on average, and at most {percent(self.veto.bound)} with "
            f"95 % confidence (n = {self.veto.units})"
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The scores that the policy's own is computed from, itself unless it is learned, and its veto's."""
        direct = (self.score,) if self.learned is None else self.learned.scores
        direct += () if self.veto is None else (self.veto.score,)
        behind = self.combined.scores if self.combined is not None else ()
        return tuple(dict.fromkeys((*direct, *behind)))

    @property
    def threshold(self) -> float:
        """The only threshold; InputError where each group has its own."""
        if self.by is not None:
            raise InputError(f"this policy has a threshold for each {self.by}, read policy.thresholds")
        return self.thresholds["all"].threshold

    def to_dict(self) -> dict[str, Any]:
        """Plain values, schema first, hashes last; :meth:`from_dict` reads them back."""
        content = {key: _plain(getattr(self, key)) for key in ORDER}
        optional = {key: _plain(value) for key in OPTIONAL if (value := getattr(self, key)) not in (None, ())}
        return {"schema": SCHEMA, **content, **optional}

    def to_yaml(self, path: Path | str | None = None) -> str:
        """YAML text, written whole to ``path`` when one is given, together with the arrays of its scores.

        Those of ``policy.yaml`` stand beside it in ``policy.arrays.npz``.
        """
        if path is None:
            return _text(self.to_dict())
        place, arrays = Path(path), {} if self.trained is None else self.trained.arrays
        policy, paths = self, [place]
        if self.training is not None:
            paths.append(arrays_beside(place))
            policy = replace(self, training=replace(self.training, file=paths[1].name))
        text = _text(policy.to_dict())
        with files.together(paths) as drafts:
            drafts[place].write_text(text, encoding="utf-8")
            if self.training is not None:
                archives.write(drafts[paths[1]], arrays)
        return text

    @classmethod
    def from_dict(cls, content: Any, where: str = "policy") -> Policy:
        """Check plain values; ``where`` is used in messages. Raises InputError."""
        if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
            raise InputError(
                f"{where}: a policy of schema {SCHEMA} was expected; write it with primum defer fit"
            )
        values = {str(key): value for key, value in content.items() if key != "schema"}
        try:
            policy = TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            raise InputError(
                f"{where}: {settings.sentence(error, cls, 'field')}; fit the policy again"
            ) from None
        policy._refuse_odd(where)
        return policy

    @classmethod
    def read(cls, path: Path | str) -> Policy:
        """Read a policy file, and the arrays beside it. Raises InputError naming the file and the field."""
        policy = cls.from_dict(documents.read_yaml(path, "a policy (YAML)"), Path(path).name)
        if policy.training is None:
            return policy
        return replace(policy, trained=_read_arrays(policy.training, Path(path)))

    def _refuse_odd(self, where: str) -> None:
        """Refuse fields that do not fit each other, as in a damaged file."""
        check.class_names(self.classes, where)
        odd = {
            "fit.row_hashes": hashes.count(self.fit.row_hashes) != self.fit.n,
            "fit.patient_hashes": hashes.count(self.fit.patient_hashes) != (self.fit.patients or 0),
            "fit.counts": not set(self.fit.counts) <= set(self.classes),
            "thresholds": not self.thresholds or (self.by is None and set(self.thresholds) != {"all"}),
            "learned": _uneven(self.learned),
            "combined": _uneven(self.combined),
            "temperature": self.temperature is not None and not 0 < self.temperature < math.inf,
            "training": self.training is not None and not set(self.training.scores) <= set(ARRAYS),
            "veto": self.veto is not None and _odd(self.veto),
            "attainable": not all(map(_is_shares, self.attainable)),
            "critical": not {name for pair in self.critical for name in pair} <= set(self.classes),
        }
        numbers = [threshold.threshold for threshold in self.thresholds.values()]
        odd["thresholds"] |= any(math.isnan(number) for number in numbers)
        damaged = next((name for name, is_odd in odd.items() if is_odd), None)
        if damaged is not None:
            raise InputError(
                f"{where}: the field {damaged!r} does not fit the others, the file is damaged; fit it again"
            )

    def refuse_fitted(self, ids: Iterable[str], patients: Iterable[str] | None, where: str) -> None:
        """Refuse rows, or patients, that the policy was fitted on; they are counted, not named."""
        key = self.fit.fingerprint
        for kind, values, packed in (
            ("row", ids, self.fit.row_hashes),
            ("patient", () if patients is None else patients, self.fit.patient_hashes),
        ):
            shared = hashes.shared(packed, values, key)
            if shared:
                raise InputError(
                    f"{where}: a policy may not judge a {kind} that it was fitted on, {shared} are here; "
                    "a threshold judged on its own fit rows flatters itself, so apply it to others"
                )


ORDER = (
    "score", "direction", "kind", "target", "capacity", "reader", "promise", "verdict", "tried", "by",
    "thresholds", "notes", "decision", "outputs", "classes", "recalibrator", "learned", "severity",
    "critical", "fit",
)  # fmt: skip


OPTIONAL = (  # not written where there is none
    "veto", "tolerated", "attainable", "temperature", "combined", "training",
)  # fmt: skip


def arrays_beside(path: Path) -> Path:
    """Where the arrays of a policy file stand: not simply ``.npz``, which a table of the same name may be.

    >>> arrays_beside(Path("models/policy.yaml")).name
    'policy.arrays.npz'
    """
    return path.with_name(f"{path.stem}.arrays.npz")


def _read_arrays(training: TrainingRows, path: Path) -> StoredReference:
    """The arrays beside a policy file, refused unless they are those it was written with."""
    if not training.file or Path(training.file).name != training.file:
        raise InputError(f"{path.name}: 'training.file' names a file of the same folder, without a folder")
    arrays = archives.read(path.with_name(training.file), "the arrays of a policy")
    # an older or a neighbouring policy leaves a file of the same name, which computes without complaint
    if archives.digest(arrays) != training.arrays:
        raise InputError(
            f"{training.file}: these are not the arrays that {path.name} was written with; copy both files "
            "together, or fit the policy again"
        )
    check_arrays(arrays, training.scores, training.width, training.stages, training.file)
    return StoredReference(arrays)


def _uneven(score: LearnedScore | CombinedScore | None) -> bool:
    """Whether a weighted score lacks a number, or has one too many."""
    if score is None:
        return False
    return {len(score.mean), len(score.scale), len(score.weight)} != {len(score.scores)}


def _is_shares(point: Attainable) -> bool:
    shares = (0.0 if point.cleared is None else point.cleared, point.deferred_share)
    return 0 < point.alpha < 1 and all(0 <= share <= 1 for share in shares)


def _odd(veto: Veto) -> bool:
    """Whether the numbers of a veto do not belong together."""
    return not (
        0 < veto.rate < 1
        and veto.k == rank(veto.rate, veto.units) >= 1
        and math.isfinite(veto.threshold)
        and math.isclose(veto.bound, bound(veto.k, veto.units), abs_tol=1e-6)
    )


def _text(content: Mapping[str, Any]) -> str:
    return str(
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    )


def _plain(content: Any) -> Any:
    """The same with dictionaries for fields and lists for tuples, as YAML has them."""
    if is_dataclass(content):
        return {each.name: _plain(getattr(content, each.name)) for each in fields(content)}
    if isinstance(content, Mapping):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return content
