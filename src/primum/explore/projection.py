"""Positions of the cases of all domains in one map: PCA, then t-SNE or UMAP; computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from primum.core import archives, check
from primum.core.arrays import Array, Integers, Singles
from primum.core.check import InputError
from primum.explore.features import extract, principal_components, sample_rows
from primum.explore.scene import Scene
from primum.explore.storage import store

METHODS = ("auto", "tsne", "umap", "pca")
NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
LIBRARY = {"tsne": "scikit-learn", "umap": "umap-learn", "pca": "scikit-learn"}
MOST_TSNE = 3_000  # cases; above that t-SNE takes minutes
FEWEST = 5  # cases; with fewer there are no neighbourhoods to keep
PERPLEXITY = 30.0
ANGLE = 0.7  # Barnes–Hut: a third faster than 0.5, neighbourhoods kept as well
NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class Projection:
    """Where the drawn cases lie.

    Attributes:
        xyz: (n, 2 or 3) float32, centred, the widest axis from -1 to 1; distances have no unit.
        rows: (n,) rows of ``scene.cases``, rising.
        description: how it was made and which cases are drawn, in words.
    """

    xyz: Singles
    rows: Integers
    description: str


def project(
    scene: Scene,
    method: str = "auto",
    dimensions: int = 3,
    *,
    cache: Path | None = None,
    progress: Callable[[str], object] | None = None,
    seed: int = 0,
) -> Projection:
    """One joint fit of all domains: PCA to 50 axes, then t-SNE up to 3,000 cases, UMAP above.

    t-SNE: van der Maaten & Hinton, JMLR 2008, by scikit-learn; UMAP: McInnes et al. 2018, by umap-learn.
    Positions of one fit may be compared across its domains, those of two fits may not.

    Args:
        scene: of any number of cases; of more than 20,000 a sample is drawn, see ``features.sample_rows``.
        method: ``auto``, ``tsne``, ``umap`` or ``pca``. dimensions: 2 or 3.
        cache: folder that keeps every projection under the hash of what it is made of, or None. A file that
            cannot be read is made anew; a folder that cannot be written to is passed over.
        progress: called with a few words at each step that takes long.
        seed: of PCA, t-SNE, UMAP and the sample.

    Raises:
        InputError: for another method, or other dimensions than 2 and 3.

    >>> import numpy as np
    >>> from primum.explore.scene import Domain, build_scene
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> embeddings = np.array([[1, 0], [0.8, 0.6], [0, 1]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits, embeddings=embeddings)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> placed = project(scene, "pca", dimensions=2)
    >>> placed.xyz.shape, placed.description
    ((3, 2), 'PCA of the embeddings, one fit; all 3 cases are drawn')
    """
    check.one_of(method, METHODS, "--method: projection")
    if dimensions not in (2, 3):
        raise InputError(f"a projection has 2 or 3 dimensions, {dimensions} arrived")
    say = progress or (lambda text: None)
    rows, sampled = sample_rows(scene, seed)
    values, description = extract(scene, rows)
    chosen, why = _chosen(method, len(rows))
    file = None if cache is None else cache / f"{_key(values, chosen, dimensions, seed)}.npz"
    xyz = None if file is None else _fits(archives.cached(file), (len(rows), dimensions))
    if xyz is None:
        xyz = _scaled(_computed(values, chosen, dimensions, seed, say))
        if file is not None and not store(file, {"xyz": xyz}):
            say(f"{file.parent} cannot be written to, so the projection is computed anew at the next start")
    joint = f"one fit of {len(scene.domains)} domains" if len(scene.domains) > 1 else "one fit"
    return Projection(xyz, rows, f"{NAMES[chosen]} of {description}{why}, {joint}; {sampled}")


def _chosen(method: str, count: int) -> tuple[str, str]:
    """The method used, and why it is another one than asked for."""
    if count < FEWEST:
        return "pca", "" if method == "pca" else f" (too few cases for neighbourhoods, {count})"
    if method == "auto":
        method = "tsne" if count <= MOST_TSNE else "umap"
    if method == "umap" and _version("umap-learn") == "":
        return "pca", " (UMAP needs pip install 'primum[explore]')"
    return method, ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _key(values: Singles, method: str, dimensions: int, seed: int) -> str:
    # another version of the library may place the same values elsewhere, so it is part of the key
    library = LIBRARY[method]
    settings = {
        "shape": values.shape, "method": method, "dimensions": dimensions, "seed": seed,
        "library": [library, _version(library)], "perplexity": [PERPLEXITY, ANGLE], "neighbours": NEIGHBOURS,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:32]


def _fits(stored: Mapping[str, Array] | None, shape: tuple[int, int]) -> Singles | None:
    xyz = None if stored is None else stored.get("xyz")
    fits = xyz is not None and xyz.shape == shape and xyz.dtype == np.float32 and np.isfinite(xyz).all()
    return xyz if fits else None


def _computed(
    values: Singles, method: str, dimensions: int, seed: int, say: Callable[[str], object]
) -> Singles:
    count = len(values)
    if not np.ptp(values, axis=0).any():
        return np.zeros((count, dimensions), dtype=np.float32)
    say(f"PCA of {count:,} × {values.shape[1]:,}")
    components = principal_components(values, seed)
    start = _start(components, dimensions, seed)
    if method == "pca":
        return start
    say(f"{NAMES[method]} of {count:,} cases in {dimensions} dimensions, up to two minutes")
    spread = float(start[:, 0].std())
    near = start / np.float32(spread if spread > 0 else 1)
    if method == "tsne":
        from sklearn.manifold import TSNE

        # Barnes–Hut looks at three times as many neighbours as the perplexity, and there must be that many
        perplexity = min(PERPLEXITY, (count - 1) / 3)
        # points that start this close can still pass each other; with a wide start classes stay cut in two
        near *= np.float32(1e-4)
        maker = TSNE(dimensions, perplexity=perplexity, angle=ANGLE, init=near, random_state=seed)
        return np.asarray(maker.fit_transform(components), dtype=np.float32)
    # UMAP lays its own first positions about this wide, and its step size is made for that
    return _umap(components, near * np.float32(10), dimensions, seed)


def _umap(components: Singles, start: Singles, dimensions: int, seed: int) -> Singles:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap-learn warns that a seed leaves one thread
        from umap import UMAP

        count = min(NEIGHBOURS, len(components) - 1)
        maker = UMAP(n_components=dimensions, n_neighbors=count, init=start, random_state=seed)
        return np.asarray(maker.fit_transform(components), dtype=np.float32)


def _start(components: Singles, dimensions: int, seed: int) -> Singles:
    """(n, dimensions) first components; axes that are missing hold a little noise."""
    width = min(dimensions, components.shape[1])
    # an axis on which all points are equal has no gradient, so neither method could ever leave it
    noise = np.random.default_rng(seed).normal(size=(len(components), dimensions)) * 1e-4
    start = noise.astype(np.float32) * max(float(np.abs(components).max()), 1.0)
    start[:, :width] = components[:, :width]
    return start


def _scaled(xyz: Singles) -> Singles:
    centred = xyz - (xyz.max(axis=0) + xyz.min(axis=0)) / 2
    # one scale for all axes, or distances along them would not compare
    widest = float(np.abs(centred).max())
    return np.asarray(centred / widest if widest > 0 else centred, dtype=np.float32)
