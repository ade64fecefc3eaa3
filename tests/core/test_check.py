"""The checks themselves: what passes, what is refused, and how it is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from primum.core import check
from primum.core.check import InputError


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["a"], "a"), (list("abcde"), "a, b, c, d, e"), (list("abcdefg"), "a, b, c, d, e and 2 more")],
)
def test_shorten(names: list[str], said: str) -> None:
    assert check.shorten(names) == said


def test_one_of_suggests_the_nearest_and_cuts_a_long_list() -> None:
    assert check.one_of("cal", ("cal", "test"), "split") == "cal"
    with pytest.raises(
        InputError, match=r"^split 'tset' is not known \(did you mean 'test'\?\): expected one of cal, test$"
    ):
        check.one_of("tset", ("cal", "test"), "split")
    with pytest.raises(InputError, match=r"and 975 more$"):
        check.one_of("x", [f"class {i}" for i in range(1000)], "class")


def test_same_classes_in_any_order() -> None:
    check.same_classes(("b", "a"), ("a", "b"), "here", "there")
    with pytest.raises(InputError, match="b missing and c unknown"):
        check.same_classes(("a", "c"), ("a", "b"), "here", "there")


@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.floats(-1e4, 1e4, width=32)
    ),
    st.data(),
)
def test_finite_names_the_first_bad_row(values: np.ndarray, data: st.DataObject) -> None:
    check.finite(values, "t", "logits")
    rows = data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1))
    values = values.copy()
    for row in rows:
        values[row, -1] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    with pytest.raises(InputError, match=f"arrived in {len(rows)} rows, first in row {min(rows) + 1};"):
        check.finite(values, "t", "logits")


@pytest.mark.filterwarnings("error")
def test_finite_is_silent_where_a_sum_overflows() -> None:
    check.finite(np.full((5, 2), 3e38, dtype=np.float32), "t", "logits")
    with pytest.raises(InputError, match="2 rows"):
        check.finite(np.array([[np.inf], [-np.inf]]), "t", "logits")


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(2, 6)), elements=st.floats(0.01, 1)))
def test_probabilities_are_renormalised(weights: np.ndarray) -> None:
    exact = weights / weights.sum(axis=1, keepdims=True)
    found, off = check.probabilities(exact * 0.995, "t")
    np.testing.assert_allclose(found, exact)
    assert off == len(exact)
    assert check.probabilities(exact, "t")[1] == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([1.2, -0.2], r"must lie in \[0, 1\], 1.2 arrived \(first in row 2\)"),
        ([1.00001, 0], "1.00001 arrived"),
        ([0.5, 0.48], "must sum to 1 .* first row 2 with 0.98"),
        ([np.nan, 1], "NaN or infinite"),
    ],
)
def test_what_is_no_probability(row: list[float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        check.probabilities(np.array([[0.5, 0.5], row]), "t")


def test_indices_are_whole_numbers() -> None:
    assert check.indices([1.0, -1.0], "t", "labels").dtype == np.int64
    for bad in ([0.5], [np.nan], ["a"], [True], [None]):
        with pytest.raises(InputError, match="t: labels must be"):
            check.indices(bad, "t", "labels")


def test_disjoint_counts_and_never_names() -> None:
    check.disjoint(["a", None], ["b", None], "patient", "t")
    with pytest.raises(
        InputError, match="no patient may stand in both the fit and the test rows, 2 do"
    ) as refused:
        check.disjoint(["p17", "p18", "x"], ["p18", "p17"], "patient", "t")
    assert "p17" not in str(refused.value)
