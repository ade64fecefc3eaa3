"""A selection of cases as text for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

from primum.explore.scene import Scene


def csv(scene: Scene, keys: Sequence[str]) -> str:
    """CSV (UTF-8, with a header) of the chosen cases in the order of ``keys``, without ``row`` and ``key``.

    Raises InputError for a key that is not in the scene.

    >>> import numpy as np
    >>> from primum.explore.scene import Domain, build_scene
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> csv(scene, scene.cases["key"].to_list()[:1]).split(",")[:2]
    ['id', 'domain']
    """
    return scene.cases[scene.rows(keys)].drop("row", "key").write_csv()
