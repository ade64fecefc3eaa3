"""What each stage of a network saw, as one column of a table and its widths."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from primum.core.arrays import Array
from primum.core.check import InputError


def stages_of(column: Array, widths: object, name: str) -> tuple[Array, ...]:
    """The stages (N, W) that stand side by side in a column (N, S); one stage where no widths are known.

    Args:
        column: all stages. widths: numbers of each, or None. name: of the table, for messages.

    Raises InputError for widths that are not whole numbers adding up to S.
    """
    total = int(column.shape[1])
    parts: list[int] = [total]
    if widths is not None:
        parts = [part if type(part) is int else 0 for part in widths] if isinstance(widths, list) else []
    if sum(parts) != total or min(parts, default=0) < 1:
        raise InputError(
            f"{name}: the numbers of each stage must add up to the {total} of the column stages, {widths} "
            "arrived; write the table again, or leave the column out"
        )
    ends = np.cumsum([0, *parts])
    return tuple(column[:, start:end] for start, end in pairwise(ends))
