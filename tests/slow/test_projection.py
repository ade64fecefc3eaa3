"""UMAP, whose compilation takes longer than what it compiles."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from primum.explore.features import extract
from primum.explore.projection import project
from primum.explore.scene import Domain, build_scene
from tests.explore.conftest import predictions

pytest.importorskip("umap", reason="umap-learn is not installed: pip install 'primum[explore]'")


@pytest.mark.parametrize(("n", "least"), [(5, 0.0), (60, 0.8), (3_200, 0.8)])
def test_umap_keeps_neighbourhoods(n: int, least: float) -> None:
    made = build_scene("made", [Domain("test", predictions(n))])
    found = project(made, "umap" if n <= 3_000 else "auto")
    assert "UMAP of the embeddings" in found.description
    assert np.isfinite(found.xyz).all()
    values, _ = extract(made, found.rows)
    assert trustworthiness(values, found.xyz, n_neighbors=min(8, (n - 1) // 2)) >= least
    np.testing.assert_array_equal(found.xyz, project(made, "umap").xyz)
