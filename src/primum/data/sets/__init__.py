"""Where the images come from. A new data set is one file with its loader and its record, and one line here.

Variants of a data set have names of their own: ``<data set>[_<task>][_<fold, magnification or size>]``.
"""

from __future__ import annotations

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
from primum.data.sets.data_set import Counts, DataSet, Loader

# In the order of ``primum data list``.
DATA_SETS: tuple[DataSet, ...] = (
    brain_tumor_mri.DATA_SET,
    chest_xray.DATA_SET,
    chest_xray.SUBTYPES_DATA_SET,
    chest_xray_nih.DATA_SET,
    ham10000.DATA_SET,
    ham10000.MALIGNANCY_DATA_SET,
    ham10000.OFFICIAL_DATA_SET,
    breakhis.DATA_SET,
    breakhis.SUBTYPES_DATA_SET,
    sicapv2.DATA_SET,
    medmnist.DATA_SET,
    phantom.DATA_SET,
    phantom_failures.DATA_SET,
    folder.DATA_SET,
    manifest.DATA_SET,
)

# The user's own images first: a message that lists names is cut off after a few.
LOADERS: dict[str, Loader] = {
    name: loader
    for data_set in sorted(DATA_SETS, key=lambda data_set: not data_set.own_images)
    for name, loader in data_set.loaders.items()
}
OWN = tuple(name for data_set in DATA_SETS if data_set.own_images for name in data_set.loaders)


def data_set(name: str) -> DataSet:
    """The record of a data set or of one of its variants.

    >>> data_set("breakhis_subtypes_40x").classes
    ('A', 'F', 'PT', 'TA', 'DC', 'LC', 'MC', 'PC')

    Raises:
        InputError: for a name that no data set has; it tells the nearest.
    """
    if name not in LOADERS and name.startswith(medmnist.PREFIX):
        medmnist.suitable(name)
    check.one_of(name, tuple(LOADERS), "data set")
    return next(record for record in DATA_SETS if name in record.loaders)


def official_counts(name: str) -> Counts:
    """Official split → class → images of a data set as its release states them, empty where it does not.

    >>> official_counts("chest_xray_nih")
    {'test': {'NORMAL': 500, 'PNEUMONIA': 500}}
    """
    return data_set(name).counts.get(name, {})


def load(name: str, root: Path | str | None = None, seed: int = 0) -> ImageTable:
    """One table of a data set's images: id, path or pixels, label, patient or lesion, site, split.

    Args:
        name: a key of :data:`LOADERS`.
        root: folder of the data set, or the folder that holds it; the CSV of a manifest; not needed for
            images that are computed.
        seed: of the splits that are not official, and of computed images.

    Raises:
        InputError: for an unknown name, a missing folder, or a folder of another layout.
    """
    bounds.seed(seed)
    if data_set(name).needs and root is None:
        raise InputError(
            f"data set {name} needs the folder it lies in; give --root, or root under data in the recipe"
        )
    return LOADERS[name](None if root is None else Path(root), seed)
