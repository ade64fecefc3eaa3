"""Positions: any number of cases and features, one fit for all domains, kept whole or made anew."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.manifold import trustworthiness

from primum.explore import features, projection
from primum.explore.projection import project
from primum.explore.scene import Domain, build_scene
from primum.predictions import Predictions


def test_neighbourhoods_are_kept(whole) -> None:
    found = project(whole)
    assert found.xyz.shape == (180, 3)
    assert found.xyz.dtype == np.float32
    assert np.abs(found.xyz).max() == pytest.approx(1)
    assert "t-SNE of the embeddings" in found.description
    assert "one fit of 3 domains" in found.description
    values, _ = features.extract(whole, found.rows)
    kept = trustworthiness(values, found.xyz, n_neighbors=10)
    assert kept > 0.85
    assert trustworthiness(values, found.xyz[np.random.default_rng(0).permutation(180)], n_neighbors=10) < 0.7


def test_the_same_embedding_lies_in_one_place_whatever_the_domain(made) -> None:
    table = made()
    found = project(build_scene("made", [Domain("a", table), Domain("b", table)]), "pca")
    np.testing.assert_allclose(found.xyz[:60], found.xyz[60:], atol=1e-5)


def test_a_seed_gives_one_picture(made) -> None:
    small = build_scene("made", [Domain("a", made(40))])
    np.testing.assert_array_equal(project(small).xyz, project(small).xyz)
    assert not np.array_equal(project(small, seed=1).xyz, project(small, seed=2).xyz)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_few_cases(made, n, dimensions) -> None:
    found = project(build_scene("few", [Domain("a", made(n))]), dimensions=dimensions)
    assert found.xyz.shape == (n, dimensions)
    assert np.isfinite(found.xyz).all()
    assert ("too few" in found.description) == (n < 5)


@pytest.mark.parametrize("width", [1, 2, 3, 49])
def test_few_features(made, width) -> None:
    found = project(build_scene("narrow", [Domain("a", made(30, width=max(width, 3)))]))
    assert np.isfinite(found.xyz).all()
    table = made(30)
    narrow = Predictions(
        table.ids, table.classes, table.labels, table.logits, embeddings=table.embeddings[:, :width]
    )
    assert np.isfinite(project(build_scene("narrow", [Domain("a", narrow)])).xyz).all()


def test_cases_that_are_all_alike_lie_in_one_place(made) -> None:
    same = made(12, embeddings=np.ones((12, 7), np.float32))
    assert not project(build_scene("same", [Domain("a", same)])).xyz.any()


def test_without_embeddings_the_answers_are_used_and_it_is_said(made) -> None:
    found = project(build_scene("bare", [Domain("a", made(embeddings=None))]))
    assert "the logits, as there are no embeddings" in found.description
    table = made()
    hard = Predictions.from_probs(table.ids, table.classes, table.labels, np.eye(3)[table.labels])
    found = project(build_scene("hard", [Domain("a", hard)]))
    assert "log-probabilities" in found.description
    assert np.isfinite(found.xyz).all()
    mixed = project(build_scene("mixed", [Domain("a", made()), Domain("b", made(embeddings=None))]))
    assert "not every domain" in mixed.description


def test_of_many_cases_a_sample_with_the_silent_failures_is_drawn(whole, monkeypatch) -> None:
    monkeypatch.setattr(features, "LARGEST", 120)
    silent = np.flatnonzero(whole.cases["silent"].to_numpy())
    assert 1 < len(silent) < 60
    rows, said = features.sample_rows(whole)
    assert len(rows) == len(np.unique(rows)) == 120
    assert set(silent) <= set(rows)
    assert "120 of 180 cases are drawn: every silent failure" in said
    found = project(whole, "pca")
    np.testing.assert_array_equal(found.rows, rows)
    monkeypatch.setattr(features, "LARGEST", 2 * len(silent) - 2)
    rows, said = features.sample_rows(whole)
    assert len(rows) == 2 * len(silent) - 2
    assert len(set(silent) & set(rows)) == len(silent) - 1
    assert f"{len(silent) - 1} of the silent failures" in said


def test_features_are_those_of_their_rows(whole) -> None:
    rows = np.array([0, 59, 60, 130, 179])
    values, _ = features.extract(whole, rows)
    for at, row in enumerate(rows):
        domain, own = whole.of(int(row))
        np.testing.assert_array_equal(values[at], domain.predictions.embeddings[own])


def test_what_is_kept_is_read_back(whole, tmp_path, monkeypatch) -> None:
    first = project(whole, "pca", cache=tmp_path)
    monkeypatch.setattr(projection, "_computed", None)  # nothing may be computed now
    np.testing.assert_array_equal(project(whole, "pca", cache=tmp_path).xyz, first.xyz)


@pytest.mark.parametrize("how", ["empty", "half", "flipped", "text", "shape"])
def test_a_damaged_file_is_made_anew(whole, tmp_path, how) -> None:
    first = project(whole, "pca", cache=tmp_path)
    (file,) = tmp_path.glob("*.npz")
    content = bytearray(file.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 0xFF
    if how == "shape":
        np.savez(file, xyz=first.xyz[:5])
    else:
        file.write_bytes(
            {"empty": b"", "half": bytes(content[:500]), "text": b"x" * 90}.get(how, bytes(content))
        )
    np.testing.assert_array_equal(project(whole, "pca", cache=tmp_path).xyz, first.xyz)
    with np.load(file) as archive:
        np.testing.assert_array_equal(archive["xyz"], first.xyz)


def test_other_content_or_settings_are_another_file(whole, made, tmp_path) -> None:
    project(whole, "pca", cache=tmp_path)
    project(whole, "pca", 2, cache=tmp_path)
    project(whole, "pca", seed=5, cache=tmp_path)
    project(build_scene("made", [Domain("a", made())]), "pca", cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_folder_that_cannot_be_written_to_is_passed_over(whole, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    found = project(whole, "pca", cache=tmp_path / "file" / "inside", progress=said.append)
    assert len(found.xyz) == 180
    assert any("cannot be written" in one for one in said)


def test_above_three_thousand_cases_it_is_umap(made, monkeypatch) -> None:
    assert projection._chosen("auto", 3000)[0] == "tsne"
    monkeypatch.setattr(projection, "_version", lambda package: "0.5")
    assert projection._chosen("auto", 3001)[0] == "umap"
    monkeypatch.setattr(projection, "_version", lambda package: "")
    method, why = projection._chosen("auto", 3001)
    assert (method, "primum[explore]" in why) == ("pca", True)


def test_bad_input_is_refused(whole, refused) -> None:
    refused(lambda: project(whole, "tsen"), "did you mean 'tsne'")
    refused(lambda: project(whole, dimensions=4), "2 or 3 dimensions")


def test_the_frame_does_not_depend_on_names(made) -> None:
    table = made(30)
    renamed = Predictions(
        pl.Series([f"other-{i}" for i in range(30)]), table.classes, table.labels, table.logits,
        embeddings=table.embeddings,
    )  # fmt: skip
    np.testing.assert_array_equal(
        project(build_scene("a", [Domain("a", table)])).xyz,
        project(build_scene("b", [Domain("b", renamed)])).xyz,
    )
