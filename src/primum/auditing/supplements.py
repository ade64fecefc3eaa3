"""What an audit may be given beside its table: policies, other members, training rows, words on the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primum import tables
from primum.auditing.answers import training_rows
from primum.auditing.policy.application import Applied, apply
from primum.auditing.policy.document import Policy
from primum.auditing.study import Study
from primum.predictions import Predictions
from primum.tables.alignment import called, onto
from primum.tables.selection import Selection


@dataclass(frozen=True, eq=False)
class Supplements:
    """What was given beside the table, read and held against the judged rows.

    Attributes:
        policies: each applied to the judged rows.
        members: other models' answers to the judged rows, in the same order of rows and classes.
        train: rows the model was trained on, or None.
        study: or None.
    """

    policies: tuple[Applied, ...] = ()
    members: tuple[Predictions, ...] = ()
    train: Predictions | None = None
    study: Study | None = None


def supplements(
    table: Any,
    rows: Selection,
    *,
    policies: Sequence[Policy | str | Path] = (),
    members: Sequence[Any] = (),
    train: Any = None,
    about: Study | str | Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Supplements:
    """Read everything before anything is measured.

    Args:
        table: what is audited, as it was given. rows: its judged and fit rows.
        policies: policies or their files. members: tables of other models on the judged cases.
        train: a table of training rows; of one with splits the train rows are taken.
        about: the study or its file. columns: our column name → the tables' own.

    Raises:
        InputError: for a policy of other classes or fitted on judged rows, members of other cases or labels,
            training rows among the judged ones, or a file that cannot be read.
    """
    study = about if isinstance(about, Study) or about is None else Study.read(about)
    return Supplements(
        tuple(apply(policy, rows.test) for policy in policies),
        tuple(
            onto(rows.test, tables.read(member, columns, name, rows.test.classes))
            for member, name in zip(members, _names(table, members), strict=True)
        ),
        None
        if train is None
        else training_rows(
            tables.read(train, columns, classes=rows.test.classes), rows.test, judged=rows.test, fit=rows.fit
        ),
        study,
    )


def _names(table: Any, members: Sequence[Any]) -> list[str | None]:
    """What tells the files of the members from each other and from the audited one; None for no files."""
    files = [table, *members]
    if not all(isinstance(file, str | Path) for file in files):
        return [None] * len(members)
    return list(called(files)[1:])
