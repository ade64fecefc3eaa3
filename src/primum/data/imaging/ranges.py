"""The ranges of grey values a network was trained with, and images that do not fit them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from primum.data.imaging.decoded import Decoded, Grey, Range


def of_channel(ranges: Sequence[Range] | None, channel: int) -> Range | None:
    """Range of one file of an image; the last one counts for every further file."""
    return ranges[min(channel, len(ranges) - 1)] if ranges else None


def words(ranges: Iterable[Range]) -> str:
    """``0 to 4095``; of several channels ``0 to 4095, 12 to 900``, equal ones named once."""
    return ", ".join(dict.fromkeys(f"{low:.6g} to {high:.6g}" for low, high in ranges))


@dataclass(frozen=True)
class Unfit:
    """Rows of a table, noted while they are decoded.

    Attributes:
        clipped: values lie beyond the range that was spread over 0 to 255 by more than a tenth of it.
        unknown: more than 8 bits, no range stated, and none on record.
    """

    clipped: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)

    def add(self, row: int, planes: Sequence[Decoded], within: Sequence[Range | None]) -> None:
        """Note a row whose files ``planes`` are spread ``within`` ranges."""
        if any(plane.outside(limits) for plane, limits in zip(planes, within, strict=True)):
            self.clipped.add(row)
        if any(
            isinstance(plane, Grey) and plane.stated is None and limits is None
            for plane, limits in zip(planes, within, strict=True)
        ):
            self.unknown.add(row)

    def notes(self, rows: Iterable[int], ranges: Sequence[Range] | None) -> tuple[str, ...]:
        """What a reader of the answers about ``rows`` must know, one sentence each; none where all fit."""
        chosen = {int(row) for row in rows}
        unknown, clipped = chosen & self.unknown, chosen & self.clipped
        sentences = []
        if unknown:
            sentences.append(
                f"{_have(len(unknown), len(chosen))} more than 8 bits and no stated range, and the network "
                "has none on record, so that the whole range of their type is spread over 0 to 255 and "
                "contrast may be lost"
            )
        if clipped:
            suffix = f" ({words(ranges)})" if ranges else ""
            sentences.append(
                f"{_have(len(clipped), len(chosen))} grey values beyond the range the network reads{suffix} "
                "by more than a tenth of it, which are clipped"
            )
        return tuple(sentences)


def _have(some: int, all_: int) -> str:
    return f"{some:,} of {all_:,} images {'has' if some == 1 else 'have'}"
