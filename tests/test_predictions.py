"""Predictions: what is derived from them, what is refused, and that rows stay whole."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from primum.core import ties
from primum.core.check import InputError
from primum.predictions import Predictions

LOGITS = arrays(np.float64, st.tuples(st.integers(1, 15), st.integers(2, 5)), elements=st.floats(-1e4, 1e4))


def made(logits: Any, **rest: Any) -> Predictions:
    n, k = np.shape(logits)
    given: dict[str, Any] = {"labels": np.arange(n) % (k + 1) - 1} | rest
    return Predictions([f"c{i}" for i in range(n)], [f"k{j}" for j in range(k)], logits=logits, **given)


def whole(n: int = 6, k: int = 3) -> Predictions:
    rng = np.random.default_rng(0)
    return made(
        rng.normal(size=(n, k)), passes=rng.normal(size=(4, n, k)), embeddings=rng.normal(size=(n, 2)),
        scores={"own": rng.normal(size=n)}, decision=np.arange(n) % k,
        metadata=pl.DataFrame({"patient": [f"p{i // 2}" for i in range(n)], "age": range(n)}),
    )  # fmt: skip


@given(LOGITS)
def test_probabilities_sum_to_1_however_extreme_the_logits(logits: np.ndarray) -> None:
    found = made(logits)
    assert np.isfinite(found.log_probs).all()
    np.testing.assert_allclose(found.probs.sum(axis=1), 1)
    clear = ~ties.tied(logits)
    np.testing.assert_array_equal(found.predicted[clear], logits.argmax(axis=1)[clear])
    np.testing.assert_array_equal(found.correct, found.predicted == found.labels)


@given(LOGITS, st.floats(-1e4, 1e4))
def test_a_constant_added_to_the_logits_changes_no_probability(logits: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(made(logits + shift).probs, made(logits).probs, atol=1e-9)


@given(LOGITS)
def test_probabilities_and_logits_agree(logits: np.ndarray) -> None:
    straight = made(logits)
    ids, classes = straight.ids, straight.classes
    around = Predictions.from_probs(ids, classes, straight.labels, straight.probs)
    assert around.kind == "log_probabilities"
    np.testing.assert_allclose(around.probs, straight.probs, atol=1e-12)


def rows_of(found: Predictions) -> list[tuple[Any, ...]]:
    """Everything known of each case."""
    assert found.passes is not None
    assert found.embeddings is not None
    assert found.decision is not None
    return [
        (
            found.ids[i], found.labels[i], *found.logits[i], *found.passes[:, i].ravel(),
            *found.embeddings[i], found.scores["own"][i], found.decision[i], *found.metadata.row(i),
        )
        for i in range(len(found))
    ]  # fmt: skip


@given(st.lists(st.integers(-6, 5), min_size=1, max_size=6, unique_by=lambda row: row % 6))
def test_take_keeps_every_row_whole(rows: list[int]) -> None:
    all_rows = rows_of(whole())
    assert rows_of(whole().take(np.array(rows))) == [all_rows[row] for row in rows]


@given(st.lists(st.booleans(), min_size=6, max_size=6).filter(any))
def test_take_by_mask(mask: list[bool]) -> None:
    assert rows_of(whole().take(np.array(mask))) == [
        row for row, kept in zip(rows_of(whole()), mask, strict=True) if kept
    ]


def test_reordering_and_back_is_nothing() -> None:
    order = np.random.default_rng(1).permutation(6)
    assert rows_of(whole().take(order).take(np.argsort(order))) == rows_of(whole())


def test_lists_and_tensors_are_arrays_here() -> None:
    torch = pytest.importorskip("torch")
    lists = Predictions(["x", "y"], ["a", "b"], [0, 1], [[1, 2], [3, 4]])  # type: ignore[arg-type]
    tensors = Predictions(["x", "y"], ["a", "b"], torch.tensor([0, 1]), torch.tensor([[1, 2], [3, 4]]))  # type: ignore[arg-type]
    np.testing.assert_array_equal(lists.probs, tensors.probs)
    assert lists.take(np.array([True, False])).ids.to_list() == ["x"]


def test_patients() -> None:
    assert made(np.zeros((2, 2))).patients is None
    assert whole().patients is not None
    unknown = made(np.zeros((3, 2)), metadata=pl.DataFrame({"patient": ["p", None, None]})).patients
    assert unknown is not None
    assert unknown.n_unique() == 3
    assert made(np.zeros((1, 2)), metadata=pl.DataFrame({"patient": [None]})).patients is None


ZEROS = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ids": ["a", "b", "b"]}, r"ids must be unique, 1 rows repeat one \(first in row 2\)"),
        ({"ids": ["a", "", "c"]}, "every case needs an id, 1 have none"),
        ({"ids": pl.Series(["a", None, "c"])}, "every case needs an id, 1 have none"),
        ({"ids": []}, "at least one case is needed"),
        ({"classes": ["a"]}, "at least two classes"),
        ({"labels": [0, 1]}, "labels must have shape 3 for 3 cases and 2 classes, 2 arrived"),
        ({"labels": [0, 1, 2]}, "labels must be class indices from -1 to 1"),
        ({"labels": [0, 1, -2]}, "labels must be class indices from -1 to 1"),
        ({"labels": [0, 0.5, 1]}, "not whole"),
        ({"labels": [0, np.nan, 1]}, "not whole"),
        ({"labels": ["a", "b", "a"]}, "labels must be numbers"),
        ({"logits": np.zeros((3, 3))}, "logits must have shape 3 × 2"),
        ({"logits": [["a", "b"]] * 3}, "logits must be numbers"),
        ({"logits": np.full((3, 2), np.nan)}, "logits must be finite"),
        ({"kind": "probabilities"}, "kind must be 'logits' or 'log_probabilities'"),
        ({"kind": "log_probabilities"}, r"must sum to 1, row 1 sums to 2; declare kind 'logits'"),
        ({"kind": "log_probabilities", "logits": np.full((3, 2), np.nan)}, "must sum to 1, row 1"),
        ({"kind": "log_probabilities", "logits": np.full((3, 2), -np.inf)}, "row 1 sums to 0"),
        ({"passes": np.zeros((4, 3, 5))}, "passes must have shape any × 3 × 2"),
        ({"embeddings": np.full((3, 2), np.inf)}, "embeddings must be finite"),
        ({"scores": {"own": [1, 2]}}, "score_own must have shape 3"),
        ({"scores": {"own": [1, 2, np.nan]}}, "score_own must be finite"),
        ({"decision": [0, 1, -1]}, "decision must be class indices from 0 to 1"),
        ({"metadata": pl.DataFrame({"age": [1]})}, "3 cases need 3 rows of metadata, 1 arrived"),
    ],
)
def test_what_is_refused(change: dict[str, Any], says: str) -> None:
    given = {
        "ids": ["a", "b", "c"],
        "classes": ["x", "y"],
        "labels": [0, 1, -1],
        "logits": ZEROS,
        "name": "t",
    }
    with pytest.raises(InputError, match=says) as refused:
        Predictions(**(given | change))
    assert str(refused.value).startswith("t: ")


def test_a_table_can_be_pickled_and_shows_itself_in_one_line() -> None:
    table = whole()
    again = pickle.loads(pickle.dumps(table))
    assert repr(again) == repr(table) == "Predictions('predictions', 6 cases, k0, k1, k2)"
    np.testing.assert_array_equal(again.probs, table.probs)
    assert again.ids.equals(table.ids)
