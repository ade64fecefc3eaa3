"""What 50 stochastic passes of ResNet-50 cost beside one, when only the head drops."""

from __future__ import annotations

import os

import numpy as np

from benchmarks.timing import median

IMAGES, SIDE, PASSES, REPEATS = 64, 224, 50, 3


def dropout() -> list[tuple[str, str, str, str, str]]:
    """``predict`` of made images with and without ``passes``, decoding and writing aside."""
    import polars as pl
    import torch

    from primum.data.images import ImageTable
    from primum.model import backbone, features
    from primum.model.predict import predict

    torch.set_num_threads(os.cpu_count() or 1)
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    names = [f"i{k}" for k in range(IMAGES)]
    cases = pl.DataFrame({"id": names, "label": ["a"] * IMAGES, "patient": names, "site": ["s"] * IMAGES,
                          "split": ["test"] * IMAGES, "path": names})  # fmt: skip
    table = ImageTable(name="made", classes=tuple("abcdefg"), cases=cases, root=None, pixels=pixels)
    network = backbone.build("resnet50", table.classes, image_size=SIDE)
    once = median(lambda: predict(network, table, progress=False), REPEATS)
    many = median(lambda: predict(network, table, progress=False, passes=PASSES), REPEATS)
    what = f"{PASSES} head passes, ResNet-50, {IMAGES} images, {features.device()}"
    return [(what, f"{many:.2f} s", f"one pass, {once:.2f} s", f"{many / once:.2f} ×", "≤ 1.3 ×")]


if __name__ == "__main__":
    print(dropout())
