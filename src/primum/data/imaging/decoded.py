"""One image as its file holds it, before a range makes 8 bits of its grey values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from primum.core.arrays import Array, Bools, Bytes, Floats

if TYPE_CHECKING:
    from PIL.Image import Image

Range = tuple[float, float]
FAR = 0.1  # of a range
TAIL = 0.01  # share of the pixels at either end that the inner range leaves out
PART = 2**20  # values that are scaled at once
LOOKED_AT = 100_000  # pixels of an image, about, that its inner range is read from


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of which the file alone makes 8 bits: stored so, or with a window.

    Attributes:
        kind: how it is stored, in words: ``8-bit``, ``12-bit DICOM with a window``.
        image: RGB.
    """

    kind: str
    image: Image

    def render(self, within: Range | None = None) -> Image:
        """RGB; a range changes nothing."""
        return self.image

    visible = render

    def stretched(self) -> Image:
        """RGB; it stays as it is."""
        return self.image

    def outside(self, within: Range | None = None) -> bool:
        """False: nothing is clipped."""
        return False


@dataclass(frozen=True, eq=False)
class Grey:
    """Grey values of more than 8 bits.

    Attributes:
        kind: how they are stored, in words: ``16-bit PNG``, ``float TIFF``.
        values: (H, W), finite, in the unit of the file (Hounsfield after a rescale).
        full: range of their type; what networks without a recorded range are shown.
        stated: range that the file states, or None.
        claimed: lowest and highest value by the file's own word, where that may be its detector's or only
            this image's, or None.
        inverted: low values are bright.
        cut: without a range, levels are cut and not rounded, as they always were for this kind.
        padding: (H, W) True where there is no image, or None.
    """

    kind: str
    values: Array
    full: Range
    stated: Range | None = None
    claimed: Range | None = None
    inverted: bool = False
    cut: bool = False
    padding: Bools | None = None

    def render(self, within: Range | None = None) -> Image:
        """RGB of 8 bits, what a network is given: the stated range, else ``within``, spread over 0 to 255.

        Without ``within``, for a network that has no range on record, the whole range of the type is spread.
        """
        if within is not None:
            return self._image(levels(self.values, *(self.stated or within)))
        if not self.cut:
            return self._image(levels(self.values, *self.full))
        low, high = self.full
        return self._image(
            _in_parts(self.values, lambda part: np.clip((part - low) / (high - low) * 255, 0, 255))
        )

    def visible(self, within: Range | None = None) -> Image:
        """RGB of 8 bits for people: of the stated range, else ``within``, else of this image's own."""
        return self._image(levels(self.values, *(self.stated or within or self.extremes())))

    def stretched(self) -> Image:
        """RGB of 8 bits, the image's own lowest and highest value at 0 and 255, whatever is stated."""
        return self._image(levels(self.values, *self.extremes()))

    def outside(self, within: Range | None = None) -> bool:
        """Whether values lie beyond the range that :meth:`render` spreads by more than a tenth of it.

        Of new images of the same kind, about one in fifty holds a value just beyond; that means nothing.
        """
        low, high = self.full if within is None else self.stated or within
        inside, margin = self._inside(), FAR * (high - low)
        return bool(inside.size and (inside.min() < low - margin or inside.max() > high + margin))

    def extremes(self) -> Range:
        """Lowest and highest value, padding aside; the claimed ones where they hold them."""
        inside = self._inside()
        if not inside.size:
            return self.full
        low, high = float(inside.min()), float(inside.max())
        if self.claimed is not None and self.claimed[0] <= low and high <= self.claimed[1]:
            return self.claimed
        return low, high

    def inner(self) -> Range:
        """Range of all pixels but the hundredth at either end."""
        inside = self._inside().ravel()
        inside = inside[:: max(1, inside.size // LOOKED_AT)]
        if not inside.size:
            return self.full
        low, high = np.quantile(inside, (TAIL, 1 - TAIL))
        return float(low), float(high)

    def _inside(self) -> Array:
        return self.values if self.padding is None else self.values[~self.padding]

    def _image(self, grey: Bytes) -> Image:
        from PIL import Image as images

        return images.fromarray(255 - grey if self.inverted else grey).convert("RGB")


Decoded = Picture | Grey


def levels(values: Array, low: float, high: float) -> Bytes:
    """Values as grey levels 0 to 255, ``low`` at 0 and ``high`` at 255; what lies outside is clipped."""
    scale = 255.0 / ((high - low) or 1.0)
    return _in_parts(values, lambda part: np.rint(np.clip((part - low) * scale, 0, 255)))


def _in_parts(values: Array, change: Callable[[Floats], Floats]) -> Bytes:
    """Values changed row by row, so that no copy of a whole image stands in memory at 8 bytes a value."""
    levels = np.empty(values.shape, dtype=np.uint8)
    rows = max(1, PART * len(values) // max(values.size, 1))
    for start in range(0, len(values), rows):
        levels[start : start + rows] = change(values[start : start + rows].astype(np.float64))
    return levels
