"""The natural spline against scipy's, and its straight ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from primum.judge.statistics import spline


@pytest.mark.parametrize("count", [3, 4, 5])
def test_every_natural_spline_of_scipy_is_a_sum_of_the_columns(count: int) -> None:
    rng = np.random.default_rng(count)
    values = np.sort(rng.normal(size=200))
    at = spline.knots(values, count)
    inside = values[(values >= at[0]) & (values <= at[-1])]
    curve = CubicSpline(at, rng.normal(size=count), bc_type="natural")(inside)
    columns = np.column_stack([np.ones(len(inside)), spline.natural(inside, at)])
    assert columns.shape[1] == count
    weights = np.linalg.lstsq(columns, curve, rcond=None)[0]
    np.testing.assert_allclose(columns @ weights, curve, atol=1e-9)


def test_beyond_the_outer_knots_it_is_straight() -> None:
    at = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    for ends in (np.linspace(-9, -1, 9), np.linspace(2, 10, 9)):
        np.testing.assert_allclose(np.diff(spline.natural(ends, at), 2, axis=0), 0, atol=1e-9)


def test_knots_are_as_many_as_the_values_tell_apart() -> None:
    assert spline.knots(np.arange(101)).tolist() == pytest.approx([5, 27.5, 50, 72.5, 95])
    assert len(spline.knots(np.repeat([0, 1, 2], 50))) == 3
    few = np.repeat([0.0, 1.0], 50)
    assert spline.natural(few, spline.knots(few)).tolist() == few[:, None].tolist()
