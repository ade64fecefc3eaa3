"""A selection of cases as text for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

from primum.explore.scene import Scene


def csv(scene: Scene, keys: Sequence[str]) -> str:
    """CSV (UTF-8, with a header) of the chosen cases in the order of ``keys``, without ``row`` and ``key``.

    Raises InputError for a key that is not in the scene.
    """
    return scene.cases[scene.rows(keys)].drop("row", "key").write_csv()
