"""Where cases lie: their embeddings or, without any, what the model answered, on at most 50 axes."""

from __future__ import annotations

import numpy as np

from primum.core.arrays import Integers, Singles
from primum.explore.scene import Scene

LARGEST = 20_000  # points a browser draws, and a projection takes, without pain
COMPONENTS = 50
LOWEST = -30.0  # stands for the logarithm of a probability of 0


def sample_rows(scene: Scene, seed: int = 0) -> tuple[Integers, str]:
    """(n,) rows to draw, rising, and in words which these are; all rows up to 20,000.

    Of more every silent failure is kept (up to half of the points), and a random sample of the others.
    """
    count = len(scene)
    if count <= LARGEST:
        return np.arange(count), f"all {count:,} cases are drawn"
    rng = np.random.default_rng(seed)
    silent = scene.cases["silent"].fill_null(False).to_numpy()
    chosen, others = (rng.permutation(np.flatnonzero(rows)) for rows in (silent, ~silent))
    every = len(chosen) <= LARGEST // 2
    chosen = chosen[: LARGEST // 2]
    rows = np.sort(np.concatenate([chosen, others[: LARGEST - len(chosen)]]))
    part = f"every silent failure ({len(chosen):,})" if every else f"{len(chosen):,} of the silent failures"
    return rows, (
        f"{len(rows):,} of {count:,} cases are drawn: {part} and a random sample of the others, so that "
        "silent failures look more frequent than they are"
    )


def extract(scene: Scene, rows: Integers) -> tuple[Singles, str]:
    """(n, D) float32 of rising rows of the scene, and in words what it is.

    The embeddings where every domain has them in one width, else the logits, else the log-probabilities
    (those of a probability of 0 are -30).
    """
    tables = [domain.predictions for domain in scene.domains]
    widths = {None if table.embeddings is None else table.embeddings.shape[1] for table in tables}
    if len(widths) == 1 and None not in widths:
        arrays, description = [table.embeddings for table in tables], "the embeddings"
    else:
        why = (
            "there are no embeddings" if widths == {None} else "not every domain has embeddings of one width"
        )
        if all(table.kind == "logits" for table in tables):
            arrays, description = [table.logits for table in tables], f"the logits, as {why}"
        else:
            arrays = [np.maximum(table.log_probs, LOWEST) for table in tables]
            description = f"the log-probabilities, as {why}"
    # rows rise, so those of each domain stand together
    ends = np.searchsorted(rows, [*scene.starts, len(scene)])
    parts = [
        np.asarray(array, dtype=np.float32)[rows[first:last] - start]
        for array, start, first, last in zip(arrays, scene.starts, ends[:-1], ends[1:], strict=True)
        if array is not None
    ]
    return np.concatenate(parts), description


def principal_components(values: Singles, seed: int = 0) -> Singles:
    """(n, at most 50) principal components of features (n, D), the largest first; 0 where nothing differs.

    >>> principal_components(np.array([[0, 0], [1, 0], [2, 0]], dtype=np.float32)).shape
    (3, 2)
    """
    if not np.ptp(values, axis=0).any():
        return np.zeros((len(values), 1), dtype=np.float32)
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, *values.shape)
    components = PCA(count, svd_solver="randomized", random_state=seed).fit_transform(values)
    return np.asarray(components, dtype=np.float32)
