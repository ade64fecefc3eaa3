"""The table of every parameter, for ``docs/shifts.md``."""

from __future__ import annotations

from primum.data.corruptions import CORRUPTIONS, INTENSITIES


def markdown() -> str:
    """A row per corruption: what it does, what is counted, its five values, what chance decides."""
    head = ["name", "what it does", "what is counted", *map(str, INTENSITIES), "drawn for each image"]
    lines = [_row(head), _row(["---"] * 3 + ["---:"] * len(INTENSITIES) + ["---"])]
    for name, corruption in CORRUPTIONS.items():
        values = [f"{value:g}" for value in corruption.values]
        words = (corruption.summary, corruption.parameter)
        lines.append(_row([f"`{name}`", *words, *values, corruption.chance or "nothing"]))
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
