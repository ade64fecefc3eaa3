"""Test-time augmentation: the same network asked about a few mild changes of each image.

See ``docs/methods.md#uncertainty``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor
from torch.nn import functional

from primum.model import features
from primum.model.backbone import Network

SHIFT = 0.04  # of the side
BRIGHTNESS = 0.1  # relative

Change = Callable[[Tensor], Tensor]


def _moved(down: float, right: float) -> Change:
    """Shift by shares of the side, rounded to whole pixels; what comes in repeats the border."""

    def change(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        y, x = round(down * height), round(right * width)
        padding = (max(x, 0), max(-x, 0), max(y, 0), max(-y, 0))
        padded = functional.pad(images, padding, mode="replicate")
        top, left = max(-y, 0), max(-x, 0)
        return padded[..., top : top + height, left : left + width]

    return change


def _lit(factor: float) -> Change:
    return lambda images: (images * factor).clamp(0, 1)


CHANGES: dict[str, Change] = {
    "as it is": lambda images: images,
    "mirrored left to right": lambda images: images.flip(-1),
    "moved up by 4 % of the side": _moved(-SHIFT, 0),
    "moved down by 4 %": _moved(SHIFT, 0),
    "moved left by 4 %": _moved(0, -SHIFT),
    "moved right by 4 %": _moved(0, SHIFT),
    "10 % darker": _lit(1 - BRIGHTNESS),
    "10 % brighter": _lit(1 + BRIGHTNESS),
}


def logits(network: Network, pixels: Tensor, embeddings: Tensor) -> Iterator[Tensor]:
    """(B, K) logits for one change of the images after another, without dropout; nothing is drawn.

    The changes are mild: mirrored or in another light, as in training, or moved by whole pixels, so that none
    is less sharp than the image. There is no mirroring upside down: a chest film has an upper end.

    Args:
        network: in eval mode.
        pixels: (B, C, S, S) uint8, or float in 0..1, on the network's device.
        embeddings: (B, D), of the images as they are.
    """
    floats = pixels.float() / 255 if not pixels.is_floating_point() else pixels
    for nth, change in enumerate(CHANGES.values()):
        yield network.head(features.embed_batch(network, change(floats)) if nth else embeddings)
