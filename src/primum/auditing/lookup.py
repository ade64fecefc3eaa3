"""Findings by their code, for people at a prompt."""

from __future__ import annotations

from collections.abc import Sequence

from primum.core import check
from primum.core.check import InputError
from primum.judge.finding import Finding

FIELDS = ("decision", "score", "calibrated", "policy")
SUMMARY = (
    "critical_errors", "cer", "specificity", "balanced_accuracy", "expected_cost", "auroc", "ece", "aurc",
)  # fmt: skip


class NoFindingError(InputError, KeyError):
    """A finding that is not there, or is there more than once."""

    __str__ = Exception.__str__  # KeyError would put the sentence into quotes


def first(findings: Sequence[Finding], code: str, group: str = "all", **fields: str | None) -> Finding:
    """The first finding of that code and group whose ``fields`` (decision, score, …) are as arguments.

    Raises:
        NoFindingError: when there is none; a misspelt code is answered with the nearest.
    """
    matching = _of_code(findings, code)
    conditions = {"group": group, **fields}
    for finding in matching:
        if all(getattr(finding, name) == value for name, value in conditions.items()):
            return finding
    described = ", ".join(f"{name}={value!r}" for name, value in conditions.items())
    raise NoFindingError(f"no finding {code} with {described}; {_alternatives(matching, tuple(conditions))}")


def only(findings: Sequence[Finding], code: str) -> Finding:
    """The finding of that code for all cases; of several the one that could be computed.

    Raises:
        NoFindingError: when there is none, or more than one; the sentence says what tells them apart.
    """
    matching = [finding for finding in _of_code(findings, code) if finding.group == "all"]
    computed = [finding for finding in matching if finding.value is not None]
    for candidates in (matching, computed):
        if len(candidates) == 1:
            return candidates[0]
    raise NoFindingError(f"{code} stands here {len(matching)} times; {_alternatives(matching, FIELDS)}")


def lines(title: str, findings: Sequence[Finding]) -> str:
    """A title and at most nine lines: the main findings, by the most probable class, and how many warn."""
    rows = []
    for code in SUMMARY:
        plain = [
            finding
            for finding in findings
            if (finding.code, finding.group) == (code, "all")
            and finding.value is not None
            and finding.decision in ("argmax", None)
            and finding.score in ("msr", None)
        ]
        if plain:
            rows.append((plain[0].name, plain[0]))
    width = max((len(name) for name, _ in rows), default=0)
    text = [f"  {name:<{width}}  {_value(finding)}" for name, finding in rows]
    warnings = sum(finding.verdict == "warning" for finding in findings)
    return "\n".join([title, *text, f"  {len(findings)} findings, {warnings} of them warnings"])


def _value(finding: Finding) -> str:
    if finding.low is None or finding.high is None:
        return f"{finding.value:.4g}"
    return f"{finding.value:.4g} ({finding.low:.4g} to {finding.high:.4g})"


def _of_code(findings: Sequence[Finding], code: str) -> list[Finding]:
    matching = [finding for finding in findings if finding.code == code]
    if not matching:
        try:
            check.one_of(code, tuple(dict.fromkeys(finding.code for finding in findings)), "finding")
        except InputError as error:
            raise NoFindingError(str(error)) from None
    return matching


def _alternatives(matching: Sequence[Finding], names: Sequence[str]) -> str:
    """What the findings of a code differ by, as arguments that would tell them apart."""
    values = {name: list(dict.fromkeys(getattr(finding, name) for finding in matching)) for name in names}
    apart = {name: choices for name, choices in values.items() if len(choices) > 1}
    if not apart:
        present = {name: value[0] for name, value in values.items() if value[0] is not None}
        return "there is one with " + ", ".join(f"{name}={value!r}" for name, value in present.items())
    listed = "; ".join(f"{name}: {check.shorten(map(str, choices), 6)}" for name, choices in apart.items())
    code, example = matching[0].code, {name: choices[0] for name, choices in apart.items()}
    arguments = ", ".join(f"{name}={value!r}" for name, value in example.items())
    return f"choose by {listed}, for example finding({code!r}, {arguments})"
