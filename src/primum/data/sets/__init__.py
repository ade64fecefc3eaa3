"""Where the images come from. A new data set is one file with ``load(root, seed)`` and one line here.

Variants of a data set have names of their own: ``<data set>[_<task>][_<fold, magnification or size>]``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from primum.core import bounds, check
from primum.core.check import InputError
from primum.data.images import ImageTable
from primum.data.sets import (
    brain_tumor_mri,
    breakhis,
    chest_xray,
    chest_xray_nih,
    folder,
    ham10000,
    manifest,
    medmnist,
    phantom,
    phantom_failures,
    sicapv2,
)

LOADERS: dict[str, Callable[[Path | None, int], ImageTable]] = {
    "folder": folder.load,
    "manifest": manifest.load,
    "brain_tumor_mri": brain_tumor_mri.load,
    "chest_xray": chest_xray.load,
    "chest_xray_subtypes": chest_xray.load_subtypes,
    "chest_xray_nih": chest_xray_nih.load,
    "ham10000": ham10000.load,
    "ham10000_malignancy": ham10000.load_malignancy,
    "phantom": phantom.load,
    "phantom_failures": phantom_failures.load,
    **breakhis.LOADERS,
    **sicapv2.LOADERS,
    **medmnist.LOADERS,
}

MADE = ("phantom", "phantom_failures")
OWN = ("folder", "manifest")  # one name for any images


def load(name: str, root: Path | str | None = None, seed: int = 0) -> ImageTable:
    """One table of a data set's images: id, path or pixels, label, patient or lesion, site, split.

    Args:
        name: a key of :data:`LOADERS`.
        root: folder of the data set, or the folder that holds it; the CSV of a manifest; not needed for made
            data.
        seed: of the splits that are not official, and of made images.

    Raises:
        InputError: for an unknown name, a missing folder, or a folder of another layout.
    """
    bounds.seed(seed)
    if name not in LOADERS and name.startswith(medmnist.PREFIX):
        medmnist.suitable(name)
    loader = LOADERS[check.one_of(name, tuple(LOADERS), "data set")]
    if root is None and name not in MADE:
        raise InputError(
            f"data set {name} needs the folder it lies in; give --root, or root under data in the recipe"
        )
    return loader(None if root is None else Path(root), seed)
