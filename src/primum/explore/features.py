"""Where cases lie: their embeddings or, without any, what the model answered, on at most 50 axes."""

from __future__ import annotations

import numpy as np

from primum.core.arrays import Integers, Singles
from primum.explore.scene import Scene

MOST = 20_000  # points a browser draws, and a projection takes, without pain
COMPONENTS = 50
LOWEST = -30.0  # stands for the logarithm of a probability of 0


def drawn(scene: Scene, seed: int = 0) -> tuple[Integers, str]:
    """(n,) rows to draw, rising, and in words which these are; all rows up to 20,000.

    Of more every silent failure is kept (up to half of the points), and a random sample of the others.
    """
    count = len(scene)
    if count <= MOST:
        return np.arange(count), f"all {count:,} cases are drawn"
    rng = np.random.default_rng(seed)
    silent = scene.cases["silent"].fill_null(False).to_numpy()
    kept, others = (rng.permutation(np.flatnonzero(rows)) for rows in (silent, ~silent))
    every = len(kept) <= MOST // 2
    kept = kept[: MOST // 2]
    rows = np.sort(np.concatenate([kept, others[: MOST - len(kept)]]))
    whose = f"every silent failure ({len(kept):,})" if every else f"{len(kept):,} of the silent failures"
    return rows, (
        f"{len(rows):,} of {count:,} cases are drawn: {whose} and a random sample of the others, so that "
        "silent failures look more frequent than they are"
    )


def features(scene: Scene, rows: Integers) -> tuple[Singles, str]:
    """(n, D) float32 of rising rows of the scene, and in words what it is.

    The embeddings where every domain has them in one width, else the logits, else the log-probabilities
    (those of a probability of 0 are -30).
    """
    tables = [domain.predictions for domain in scene.domains]
    widths = {None if one.embeddings is None else one.embeddings.shape[1] for one in tables}
    if len(widths) == 1 and None not in widths:
        arrays, said = [one.embeddings for one in tables], "the embeddings"
    else:
        why = (
            "there are no embeddings" if widths == {None} else "not every domain has embeddings of one width"
        )
        if all(one.kind == "logits" for one in tables):
            arrays, said = [one.logits for one in tables], f"the logits, as {why}"
        else:
            arrays = [np.maximum(one.log_probs, LOWEST) for one in tables]
            said = f"the log-probabilities, as {why}"
    ends = np.searchsorted(rows, [*scene.starts, len(scene)])
    parts = [
        np.asarray(array, dtype=np.float32)[rows[first:last] - start]
        for array, start, first, last in zip(arrays, scene.starts, ends[:-1], ends[1:], strict=True)
        if array is not None
    ]
    return np.concatenate(parts), said


def reduced(values: Singles, seed: int = 0) -> Singles:
    """(n, at most 50) principal components of features (n, D), the largest first; 0 where nothing differs."""
    if not np.ptp(values, axis=0).any():
        return np.zeros((len(values), 1), dtype=np.float32)
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, *values.shape)
    found = PCA(count, svd_solver="randomized", random_state=seed).fit_transform(values)
    return np.asarray(found, dtype=np.float32)
