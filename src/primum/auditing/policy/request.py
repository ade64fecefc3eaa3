"""What a policy is to hold to: a capacity, a reader or a promise, checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from primum.auditing.options import Options
from primum.auditing.policy.terms import Kind, Promise, StatedReader, Target
from primum.core import check
from primum.core.check import InputError
from primum.judge.deferral.certify import COVERAGES
from primum.judge.deferral.veto import RATE
from primum.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Request:
    """How the threshold is to be chosen: one of capacity, reader and promise is not None.

    ``veto`` and ``veto_rate`` are what a policy is to ask before; ``tolerates`` says whether it is to cover
    changed copies.
    """

    capacity: float | None
    reader: StatedReader | None
    promise: Promise | None
    opts: Options
    bayes: bool
    veto: str | None = None
    veto_rate: float = RATE
    tolerates: bool = False

    @property
    def kind(self) -> Kind:
        """Of the policy."""
        return "capacity" if self.capacity is not None else "cost" if self.reader is not None else "certified"

    @property
    def target(self) -> Target:
        """Of the policy."""
        if self.promise is not None:
            return self.promise.risk
        return "deferred_share" if self.reader is None else "failure_cost"

    def check(self, where: str) -> None:
        """Raise InputError for a wish that cannot be granted."""
        if sum(wish is not None for wish in (self.capacity, self.reader, self.promise)) != 1:
            raise InputError(
                "exactly one of a capacity, a reader cost and a promise to certify makes a policy; give one"
            )
        if self.capacity is not None and not 0 <= self.capacity < 1:
            raise InputError(f"--capacity: a share from 0 to below 1 was expected, {self.capacity:g} arrived")
        if self.promise is not None:
            for name in ("alpha", "delta"):
                if not 0 < getattr(self.promise, name) < 1:
                    raise InputError(
                        f"--{name}: a share above 0 and below 1 was expected, "
                        f"{getattr(self.promise, name):g} arrived"
                    )
        priced = self.target in ("failure_cost", "expected_cost")
        if priced and (self.opts.severity is None or not self.opts.severity.cost.any()):
            raise InputError(f"{where}: a policy by cost needs a severity matrix with costs; add --severity")
        if self.promise is not None and self.promise.risk == "cer" and self.opts.critical is None:
            raise InputError(
                f"{where}: a promise on critical errors needs critical cells; add --severity or --critical"
            )
        if self.reader is not None:
            self._check_reader(self.reader)
        self._check_veto()

    def _check_veto(self) -> None:
        promise = self.promise
        if not 0 < self.veto_rate < 1:
            raise InputError(
                f"--veto-rate: a share above 0 and below 1 was expected, {self.veto_rate:g} arrived"
            )
        if self.tolerates and promise is None and self.veto is None:
            raise InputError(
                "--tolerate: changes are covered by a promise or a veto; add --certify or --veto"
            )
        if promise is None or promise.denominator == "accepted":
            if self.tolerates and promise is not None:
                raise InputError("--tolerate: a promise covers changes among all cases; drop --denominator")
            return
        if promise.method != "sequence" or promise.coverages != COVERAGES:
            raise InputError(
                "--method: thresholds are declared and tried among accepted cases alone, among all every "
                "threshold is; add --denominator accepted, or leave --method out"
            )

    def _check_reader(self, reader: StatedReader) -> None:
        assert self.opts.severity is not None
        classes = self.opts.severity.classes
        errors = reader.error if isinstance(reader.error, dict) else {}
        for name, rate in errors.items():
            check.one_of(name, classes, "--reader-error: class")
            if not 0 <= rate <= 1:
                raise InputError(
                    f"--reader-error: a share in [0, 1] was expected, {rate:g} arrived for {name}"
                )
        left = [name for name in classes if name not in errors]
        if errors and left:
            raise InputError(f"--reader-error: every class needs a rate, {check.shorten(left)} have none")
        if not (np.isfinite(reader.cost) and reader.cost >= 0):
            raise InputError(f"--reader-cost: a number, 0 or more, was expected, {reader.cost:g} arrived")
        if reader.cost == 0 and not any(errors.values()):
            raise InputError(
                "--reader-cost: with a reader who costs nothing and never errs, deferring all cases is best; "
                "state a cost or an error rate, or fit by capacity"
            )


def by_class(reader: StatedReader | None, classes: Sequence[str]) -> StatedReader | None:
    """A reader with an error rate for each class, where one number stood for all."""
    if reader is None or reader.error is None or isinstance(reader.error, dict):
        return reader
    return replace(reader, error=dict.fromkeys(classes, reader.error))


def by_patient(promise: Promise | None, rows: Predictions) -> Promise | None:
    """A promise by case where no patients are known, by patient where they are."""
    if promise is None:
        return None
    unit = "case" if rows.patients is None else "one" if promise.unit == "case" else promise.unit
    return replace(promise, unit=unit)
