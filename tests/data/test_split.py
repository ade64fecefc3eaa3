"""No patient in two splits, the same cut whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.data.split import WITH_TEST, WITHOUT_TEST, assign, leaks


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
