"""Several models on the same cases: who is right where they differ, and who is strong where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Share:
    """``count`` of ``n`` cases with the exact interval of that share.

    With patients ``n`` is still cases; the interval stands on n / design effect.
    """

    count: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class MemberPair:
    """Two members on the cases that they answer differently.

    Attributes:
        first, second: names. differ: such cases. first_right, second_right, neither_right: who is right.
        share: of the first among cases that exactly one has right, or None without such a case.
        p: exact McNemar.
    """

    first: str
    second: str
    differ: int
    first_right: int
    second_right: int
    neither_right: int
    share: Share | None = None
    p: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Strength:
    """One member on some cases. right: its share of right answers. only_right: cases only it has right."""

    right: Share
    only_right: int


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """All members on all cases, on a class or on a group.

    Attributes:
        kind: ``"all"``, ``"class"`` or ``"group"``. name: of the class or group. n: cases.
        members: in the order of their names; in a class the share that is right is the recall.
        audited: the same of the audited table, or None. none_right: cases that every member has wrong.
        oracle: share that at least one member has right.
    """

    kind: str
    name: str
    n: int
    members: Sequence[Strength]
    audited: Share | None = None
    none_right: int
    oracle: Share


@dataclass(frozen=True, kw_only=True)
class MembersSection:
    """Who is right when members differ.

    Attributes:
        n: cases. names: of the members. audited: name of the table that is audited, where it is another.
        clustered: whether patients are known. differ, all_right, none_right, oracle: shares of all cases.
        pairs: every two. rows: all cases, then each class and each group that has a case.
    """

    n: int
    names: Sequence[str]
    audited: str | None = None
    clustered: bool = False
    differ: Share
    all_right: Share
    none_right: Share
    oracle: Share
    pairs: Sequence[MemberPair]
    rows: Sequence[Stratum]
