"""How long a data set of 30,000 images is checked for copies."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.timing import alone

IMAGES, SIDE, EVERY = 30_000, 128, 10
SPLITS = ("train", "val", "cal", "test")


def checking() -> list[tuple[str, str, str, str, str]]:
    """``primum data check`` of made JPEG files, every tenth a re-encoded copy of the one before it."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        arguments = ["primum", "data", "check", "folder", "--root", folder]
        code = (
            f"import contextlib, io, sys; sys.argv = {arguments!r}\n"
            "from primum.cli import main\n"
            "with contextlib.redirect_stdout(io.StringIO()):\n"
            "    try:\n"
            "        main()\n"
            "    except SystemExit as done:\n"
            "        assert not done.code"
        )
        seconds, memory = alone(code)
    what = f"primum data check, {IMAGES:,} × {SIDE} px"
    return [(what, f"{seconds:.0f} s", "peak memory", f"{memory:.2f} GB", "≤ 180 s")]


def make(root: Path) -> None:
    """Blobs, each image its own, in split and class folders."""
    rng = np.random.default_rng(0)
    folders = [root / split / label for split in SPLITS for label in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
    picture = Image.new("RGB", (SIDE, SIDE))
    for k in range(IMAGES):
        if k % EVERY:
            noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            picture = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        picture.save(folders[k % len(folders)] / f"{k}.jpg", quality=90 if k % EVERY else 60)


if __name__ == "__main__":
    print(checking())
