"""No patient in two splits, the same cut whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.core.check import InputError
from primum.data.split import WITH_TEST, WITHOUT_TEST, assign, completed, hashed, leaks


def made(seed: int, patients: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Labels and patients of one to four images each; a rare class of about 8 %."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["common", "other", "rare"], patients, p=[0.6, 0.32, 0.08])
    images = rng.integers(1, 5, patients)
    return np.repeat(kind, images), np.repeat([f"p{number}" for number in range(patients)], images)


def spread(groups: np.ndarray, split: np.ndarray) -> dict[str, set[str]]:
    return {group: set(split[groups == group].tolist()) for group in np.unique(groups)}


@given(data=st.integers(0, 10_000), seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_a_patient_is_in_one_split_and_row_order_changes_nothing(data: int, seed: int, order: int) -> None:
    labels, groups = made(data, 120)
    split = assign(labels, groups, seed, WITHOUT_TEST)
    assert all(len(found) == 1 for found in spread(groups, split).values())
    shuffled = np.random.default_rng(order).permutation(len(labels))
    assert (assign(labels[shuffled], groups[shuffled], seed, WITHOUT_TEST) == split[shuffled]).all()


def test_patients_with_images_of_several_classes_stay_together() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat([f"p{number}" for number in range(60)], 3)
    labels = rng.choice(["a", "b"], len(groups))
    assert any(len(set(labels[groups == group])) > 1 for group in np.unique(groups))
    assert all(len(found) == 1 for found in spread(groups, assign(labels, groups, 0)).values())


@pytest.mark.parametrize("twentieths", [WITH_TEST, WITHOUT_TEST])
def test_every_class_gets_its_share_in_every_split(twentieths: dict[str, int]) -> None:
    labels, groups = made(0)
    split = assign(labels, groups, 0, twentieths)
    assert set(split.tolist()) == set(twentieths)
    assert sum(twentieths.values()) == 20
    for label in np.unique(labels):
        for name, count in twentieths.items():
            share = (split[labels == label] == name).mean()
            assert abs(share - count / 20) < 0.03, (label, name, share)


def test_another_seed_cuts_elsewhere_and_the_same_one_does_not() -> None:
    labels, groups = made(1)
    first = assign(labels, groups, 0)
    assert (assign(labels, groups, 0) == first).all()
    assert (assign(labels, groups, 1) != first).mean() > 0.2


def test_the_global_random_state_plays_no_part() -> None:
    labels, groups = made(2, 60)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = assign(labels, groups, 0)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    assert (assign(labels, groups, 0) == first).all()


def test_too_few_patients_are_refused(refused) -> None:
    labels = np.array(["a", "b"] * 30)
    groups = np.repeat([f"p{number}" for number in range(19)], 4)[:60]
    refused(lambda: assign(labels, groups, 0), "at least 20 patients", "arrived")


def test_leaks_names_the_patients_in_two_splits() -> None:
    cases = pl.DataFrame(
        {
            "patient": ["c", "a", "b", "a", "c", "d", "d"],
            "split": ["test", "train", "val", "cal", "val", "cal", "cal"],
        }
    )
    assert leaks(cases) == ["a", "c"]
    assert leaks(cases.filter(pl.col("split") == "cal")) == []


@given(
    seed=st.integers(0, 10_000),
    first=st.integers(300, 400),
    more=st.integers(1, 300),
    twentieths=st.sampled_from([WITH_TEST, WITHOUT_TEST]),
)
def test_a_data_set_that_grows_moves_no_patient(
    seed: int, first: int, more: int, twentieths: dict[str, int]
) -> None:
    groups = np.repeat([f"p{number}" for number in range(first + more)], 2)
    order = np.random.default_rng(seed).permutation(len(groups))
    before, after = hashed(groups[: 2 * first], seed, twentieths), hashed(groups[order], seed, twentieths)
    assert all(len(found) == 1 for found in spread(groups[order], after).values())
    assert spread(groups[: 2 * first], before).items() <= spread(groups[order], after).items()


@pytest.mark.parametrize("twentieths", [WITH_TEST, WITHOUT_TEST])
def test_shares_by_hash_are_those_asked_for_within_binomial_noise(twentieths: dict[str, int]) -> None:
    names = np.array([f"patient-{number:05d}" for number in range(20_000)])
    for seed in range(5):
        split = hashed(names, seed, twentieths)
        for rows in (slice(None), slice(0, 2_000)):  # all of them, and those of a rare class
            count = len(names[rows])
            for name, part in twentieths.items():
                expected = part / 20
                noise = np.sqrt(expected * (1 - expected) / count)
                assert abs((split[rows] == name).mean() - expected) < 4 * noise, (seed, name)


def test_seeds_cut_by_hash_independently() -> None:
    names = np.array([f"{number}" for number in range(20_000)])
    first, second = hashed(names, 0, WITHOUT_TEST), hashed(names, 1, WITHOUT_TEST)
    both = ((first == "test") & (second == "test")).mean()
    assert abs(both - 0.15**2) < 4 * np.sqrt(0.15**2 / 20_000)


def test_a_cut_by_hash_stays_from_version_to_version() -> None:
    names = np.array([f"sick/{number:02d}.png" for number in range(40)])
    cut = "".join(hashed(names, 0, {"x": 4, "y": 16}))
    assert cut == "yyxxyyyxyxyyyyyyyyyyyxyyxxyyyyxxyyyyyyyy"


def test_too_few_patients_and_an_empty_split_are_refused_by_hash(refused) -> None:
    refused(
        lambda: hashed(np.array([f"p{n}" for n in range(19)] * 3), 0), "at least 20 patients", "19 arrived"
    )
    names = np.array([f"p{number}" for number in range(20)])
    seeds = [seed for seed in range(60) if bare(names, seed)]
    assert 0 < len(seeds) < 60
    refused(lambda: hashed(names, seeds[0]), "none fell into val", f"seed {seeds[0]}", "another seed")


def bare(names: np.ndarray, seed: int) -> bool:
    try:
        return "val" not in hashed(names, seed)
    except InputError as error:
        return "into val" in str(error)


def test_official_splits_are_completed_from_train_alone() -> None:
    given = np.array(["train"] * 6 + ["test"] * 2)
    asked: list[tuple[list[bool], dict[str, int]]] = []

    def cut(rows: np.ndarray, twentieths: dict[str, int]) -> np.ndarray:
        asked.append((rows.tolist(), dict(twentieths)))
        return np.array(["val", "cal", "train", "train", "train", "train"])

    assert completed(given, cut) == ["val", "cal", "train", "train", "train", "train", "test", "test"]
    assert asked == [([True] * 6 + [False] * 2, {"val": 2, "cal": 4, "train": 14})]
    given[0] = "val"
    assert completed(given, lambda rows, _: np.array(["cal"] + ["train"] * 4))[:3] == ["val", "cal", "train"]
