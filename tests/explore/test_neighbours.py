"""Nearest known cases, against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from primum.explore.neighbours import nearest, nearest_to
from primum.explore.scene import SEPARATOR, Domain, build_scene


def test_training_rows_by_cosine(whole) -> None:
    peer = NearestNeighbors(n_neighbors=4, metric="cosine").fit(whole.train.embeddings)
    for row in (0, 70, 179):
        domain, own = whole.of(row)
        away, index = peer.kneighbors(domain.predictions.embeddings[own : own + 1])
        found = nearest(whole, whole.cases["key"][row], 4)
        assert found["id"].to_list() == whole.train.ids.gather(index[0]).to_list()
        np.testing.assert_allclose(1 - found["similarity"], away[0], atol=1e-5)
        assert found["of"].to_list() == ["train"] * 4
        assert found["key"][0] == f"train{SEPARATOR}{found['id'][0]}"
        at = int(index[0][0])
        assert found["label"][0] == whole.classes[whole.train.labels[at]]


def test_without_training_rows_others_of_the_domain(made) -> None:
    alone = build_scene("made", [Domain("a", made())])
    found = nearest(alone, alone.cases["key"][3])
    assert "case-3" not in found["id"].to_list()
    assert len(found) == 5
    assert found["of"].to_list() == ["a"] * 5
    assert alone.row(found["key"][0]) >= 0


def test_fewer_known_cases_than_asked_for(made) -> None:
    two = build_scene("two", [Domain("a", made(2))])
    assert nearest(two, two.cases["key"][0])["id"].to_list() == ["case-1"]


def test_an_embedding_of_length_zero_has_likeness_zero(made) -> None:
    found = nearest_to(build_scene("made", [Domain("a", made())]), np.zeros(20, np.float32))
    assert found["similarity"].to_list() == [0.0] * 5


def test_bad_input_is_refused(whole, made, refused) -> None:
    bare = build_scene("bare", [Domain("a", made(embeddings=None))])
    refused(lambda: nearest(bare, bare.cases["key"][0]), "need embeddings")
    refused(lambda: nearest_to(whole, np.ones(7)), "7 numbers", "20 numbers")
    refused(lambda: nearest(whole, "nobody"), "no case has this key")
