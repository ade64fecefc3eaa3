"""All sections of one audit, and the one place where they become JSON and come back from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from primum.core.check import InputError
from primum.judge.sections.checklist import Entry
from primum.judge.sections.deferral import DeferralSection
from primum.judge.sections.explanation import ExplanationSection
from primum.judge.sections.failures import FailuresSection
from primum.judge.sections.members import MembersSection
from primum.judge.sections.overview import Confusion, RiskCoverage, RuleCost
from primum.judge.sections.reliability import Diagram

Shape = TypeVar("Shape")


@dataclass(frozen=True, kw_only=True)
class Sections:
    """The data of every picture and table of a report, as ``curves`` of ``audit.json`` holds it.

    Attributes:
        confusion, reliability, risk_coverage, cost: computed for every audit.
        deferral, members, failures, explanation: None where there was nothing to compute them from.
        checklist: empty where none was filled.
    """

    confusion: Sequence[Confusion] = ()
    reliability: Sequence[Diagram] = ()
    risk_coverage: Sequence[RiskCoverage] = ()
    cost: Sequence[RuleCost] = ()
    deferral: DeferralSection | None = None
    members: MembersSection | None = None
    failures: FailuresSection | None = None
    explanation: ExplanationSection | None = None
    checklist: Sequence[Entry] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; sections that are None are left out.

        >>> Sections(confusion=[Confusion(decision="argmax", counts=[[2]])]).to_dict()["confusion"]
        [{'group': 'all', 'decision': 'argmax', 'calibrated': None, 'counts': [[2]]}]
        """
        content = _adapter().dump_python(self, mode="json", by_alias=True, warnings=False)
        return {name: part for name, part in content.items() if part is not None}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Sections:
        """Read ``curves``; what an older audit lacks is empty. Raises InputError naming the field.

        >>> Sections.from_dict({"members": {}})
        Traceback (most recent call last):
        primum.core.check.InputError: curves.members.n of an audit: field required
        """
        # "failures": null and no failures at all mean the same
        present = {name: part for name, part in content.items() if part is not None}
        return validated(_adapter(), present, "curves")


def validated(adapter: TypeAdapter[Shape], content: Mapping[str, Any], part: str) -> Shape:
    """Content of a part of ``audit.json`` in its type; InputError names the first field that is off."""
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = first["msg"][:1].lower() + first["msg"][1:]
        raise InputError(f"{part}.{place} of an audit: {reason}") from None


@cache
def _adapter() -> TypeAdapter[Sections]:
    return TypeAdapter(Sections)
