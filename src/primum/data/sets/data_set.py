"""What is said of a data set, in one record: its names, loaders, classes, licence and official counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from primum.data.images import ImageTable

Loader = Callable[[Path | None, int], ImageTable]
Counts = Mapping[str, Mapping[str, int]]
OWN = "your own"


@dataclass(frozen=True)
class DataSet:
    """A data set with the variants of one task; a task of other classes has a record of its own.

    Attributes:
        loaders: name → ``load(root, seed)`` of the data set and its variants, the plain name first.
        summary: the images, in a few words.
        classes: class names, empty where the data decide.
        needs: what must lie under ``root``, empty for images that are computed.
        licence: of the images, and who gives them out.
        severity: preset of the same classes, or None.
        patients: whether the release names patients, lesions or slides.
        counts: name → official split → class → images, as the release states them. Where a loader cuts val
            and cal out of train, the pooled rest compares with train. A release without a split of its own
            has the single key ``all``; what a release does not state is left out.
        own_images: whether the name stands for any images, those of the user.
    """

    loaders: Mapping[str, Loader]
    summary: str
    classes: tuple[str, ...]
    needs: str
    licence: str
    severity: str | None
    patients: bool = True
    counts: Mapping[str, Counts] = field(default_factory=dict)
    own_images: bool = False
