"""Clusters of each class and domain: planted ones are found, and the case nearest a centre stands for it."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.explore import features
from primum.explore.clusters import find_clusters
from primum.explore.scene import Domain, build_scene
from primum.predictions import Predictions


def planted(blobs: int, each: int) -> tuple[Predictions, np.ndarray]:
    """One class of far blobs; of each the first case is its very centre."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(blobs, 12)) * 40
    around = rng.normal(size=(blobs, each, 12))
    around[:, 0] = 0
    around[:, 1:] -= around[:, 1:].mean(axis=1, keepdims=True)
    points = (centres[:, None] + around).reshape(-1, 12)
    n = len(points)
    logits = np.tile([2.0, 0.0], (n, 1))
    table = Predictions(
        [f"c{i}" for i in range(n)],
        ("a", "b"),
        np.zeros(n, int),
        logits,
        embeddings=points.astype(np.float32),
    )
    return table, np.repeat(np.arange(blobs), each)


def test_planted_clusters_are_found_with_their_centres() -> None:
    table, of = planted(9, 8)
    found = find_clusters(build_scene("planted", [Domain("test", table)]))
    assert found["n"].to_list() == [8] * 9
    assert found["cluster"].to_list() == list(range(9))
    for row in found.iter_rows(named=True):
        members = np.array([int(key.split("c")[-1]) for key in row["members"]])
        assert len(np.unique(of[members])) == 1
        assert members[0] % 8 == 0  # the centre itself
        assert row["key"] == row["members"][0]


def test_every_case_is_in_one_cluster_of_its_class_and_domain(whole) -> None:
    found = find_clusters(whole)
    members = found.explode("members")
    assert sorted(members["members"]) == sorted(whole.cases["key"])
    joined = members.join(whole.cases, left_on="members", right_on="key", suffix="_case")
    assert (joined["domain"] == joined["domain_case"]).all()
    assert (joined["class"] == joined["label"]).all()
    assert (found.group_by("domain", "class").len()["len"] == 9).all()
    counted = joined.group_by("domain", "class", "cluster").agg(
        failures=(~pl.col("correct")).sum(), silent=pl.col("silent_case").sum()
    )
    both = found.join(counted, on=["domain", "class", "cluster"], suffix="_counted")
    assert (both["failures"] == both["failures_counted"]).all()
    assert (both["silent"] == both["silent_counted"]).all()


def test_fewer_than_nine_cases_give_as_many_clusters(made) -> None:
    few = build_scene("few", [Domain("test", made(6))])
    found = find_clusters(few)
    assert found["n"].to_list() == [1] * 6
    one = build_scene("one", [Domain("test", made(1))])
    assert find_clusters(one)["n"].to_list() == [1]


def test_cases_that_are_alike_share_a_cluster(made) -> None:
    same = made(12, embeddings=np.ones((12, 4), np.float32))
    found = find_clusters(build_scene("same", [Domain("test", same)]))
    assert found["n"].sum() == 12
    assert len(found) == len(np.unique(same.labels))


def test_cases_without_a_label_are_a_group_of_their_own(made) -> None:
    table = made(30)
    unknown = made(30, labels=np.where(np.arange(30) < 10, -1, table.labels))
    found = find_clusters(build_scene("some", [Domain("test", unknown)]))
    none = found.filter(pl.col("class") == "(no label)")
    assert none["n"].sum() == 10
    assert none["failures"].sum() == 0


def test_of_many_cases_those_drawn_are_clustered(whole, monkeypatch) -> None:
    monkeypatch.setattr(features, "LARGEST", 50)
    assert find_clusters(whole)["n"].sum() == 50


def test_a_seed_gives_one_answer(whole) -> None:
    assert find_clusters(whole).equals(find_clusters(whole))
