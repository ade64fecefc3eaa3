"""Two questions, one after the other: how many judged cases stop at each, and which are the clearest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from primum.judge.sections.deferral import PolicyGates, PolicyRecord, PolicyVeto, StoppedCase
from primum.report import thumbnails, words

ROOM = 0.5  # of a hundred: what is there is drawn at least as wide as this


def of(policies: Sequence[PolicyRecord], images: Path | None) -> list[dict[str, object]]:
    """Build a view of each policy that has a veto and counted its cases.

    Args:
        policies: of the audit, named. images: the folder that the paths of the cases are relative to.
    """
    return [
        _policy(policy, policy.veto, policy.gates, images)
        for policy in policies
        if policy.veto is not None and policy.gates is not None and policy.gates.n
    ]


def _policy(
    policy: PolicyRecord, veto: PolicyVeto, gates: PolicyGates, images: Path | None
) -> dict[str, object]:
    passing = gates.n - gates.unfamiliar
    answered = passing - gates.unsure
    steps = [
        {
            "name": "Has such an image been seen?",
            "score": veto.score,
            "parts": _parts(gates.n, ("on", passing), ("stop", gates.unfamiliar)),
            "text": _stops(gates.unfamiliar, gates.n, "unfamiliar"),
        },
        {
            "name": "Is the answer sure enough?",
            "score": policy.score,
            "parts": _parts(gates.n, ("on", answered), ("stop", gates.unsure)),
            "text": _stops(gates.unsure, passing, "unsure"),
        },
        {
            "name": "Answered",
            "score": "",
            "parts": _answers(gates, answered),
            "text": _answered(gates, answered),
        },
    ]
    return {
        "name": policy.name,
        "steps": steps,
        "yield": _cleared(gates),
        "split": gates.errors is not None,
        "galleries": [
            _gallery("Unfamiliar, the most novel first", veto.score, gates.most_novel, images),
            _gallery("Unsure, the least sure first", policy.score, gates.least_sure, images),
        ],
    }


def _parts(n: int, *parts: tuple[str, int]) -> list[dict[str, str]]:
    """Kind and width, in per cent of all judged cases, of each part of a bar that is not empty."""
    return [
        {"kind": kind, "width": f"{max(100 * count / n, ROOM):.2f}"} for kind, count in parts if count > 0
    ]


def _stops(stopped: int, arriving: int, why: str) -> str:
    share = f" ({words.number(stopped / arriving, 'accuracy')})" if arriving else ""
    return f"{words.number(stopped, 'n')} of {words.counted(arriving)} stop here as {why}{share}"


def _answers(gates: PolicyGates, answered: int) -> list[dict[str, str]]:
    if gates.harmless is None or gates.critical is None:
        return _parts(gates.n, ("harmless", answered))
    # red is what a reader must not overlook, so errors stand apart from the answers they are part of
    errors = min(gates.errors or 0, gates.harmless)
    rest = ("harmless", gates.harmless - errors), ("critical", gates.critical)
    return _parts(gates.n, ("error", errors), *rest)


def _answered(gates: PolicyGates, answered: int) -> str:
    text = words.counted(answered)
    if gates.harmless is None or gates.critical is None or gates.errors is None:
        return text
    errors = words.counted(gates.errors, "critical error", "critical errors") if gates.errors else "none"
    harmless, critical = words.number(gates.harmless, "n"), words.number(gates.critical, "n")
    return (
        f"{text}: {harmless} with a harmless answer, {critical} with a critical one; {errors} among them"
        f"{'' if gates.errors else ' is a critical error'}"
    )


def _cleared(gates: PolicyGates) -> str:
    if gates.cleared is None or not gates.negatives:
        return ""
    share = words.number(gates.cleared / gates.negatives, "accuracy")
    count = words.number(gates.cleared, "n")
    return f"Negatives cleared here: {count} of {words.number(gates.negatives, 'n')} ({share})."


def _gallery(title: str, score: str, cases: Sequence[StoppedCase], images: Path | None) -> dict[str, object]:
    """Pictures of some cases, or, where there is none to show, their ids."""
    pictures = [thumbnails.embed(case.path, images) for case in cases]
    return {
        "title": title,
        "shown": any(pictures),
        "cases": [
            {
                "id": case.id,
                "label": case.label,
                "predicted": case.predicted,
                "critical": case.critical,
                "value": f"{score} {words.number(case.value)}",
                "picture": picture,
            }
            for case, picture in zip(cases, pictures, strict=True)
        ],
    }
