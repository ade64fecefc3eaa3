"""What the user asks of an audit, in the order of the classes of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from primum import severity
from primum.auditing.options import options, pair, priors
from primum.core.check import InputError

CLASSES = ("melanoma", "naevus", "carcinoma", "keratosis")


def test_nothing_asked() -> None:
    found = options(CLASSES, "t")
    assert (found.severity, found.critical, found.priors, found.cost) == (None, None, None, None)
    assert (found.by, found.limits, found.replicates, found.seed) == ((), {}, 1000, 0)


def test_severity_is_put_into_the_order_of_the_table() -> None:
    found = options(CLASSES, "t", "phantom")
    assert found.severity is not None
    assert found.critical is not None
    assert found.severity.classes == CLASSES
    assert found.critical.tolist() == [
        [False, True, False, True],
        [False] * 4,
        [False, True, False, True],
        [False] * 4,
    ]
    np.testing.assert_array_equal(found.cost, severity.read("phantom").ordered(CLASSES, "t").cost)


@pytest.mark.parametrize(
    "critical", ["melanoma:naevus", ["melanoma:naevus"], ["melanoma: naevus"], [("melanoma", "naevus")]]
)
def test_critical_cells_replace_those_of_the_severity(critical: Any) -> None:
    found = options(CLASSES, "t", "phantom", critical=critical).critical
    assert found is not None
    assert np.argwhere(found).tolist() == [[0, 1]]


def test_a_severity_without_critical_cells_has_none() -> None:
    matrix = severity.SeverityMatrix(("a", "b"), np.array([[0, 1], [1, 0]]), np.zeros((2, 2), dtype=bool))
    assert options(("a", "b"), "t", matrix).critical is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"melanoma": 0.1, "naevus": 0.6, "carcinoma": 0.1, "keratosis": 0.2}, [0.1, 0.6, 0.1, 0.2]),
        ({"melanoma": 0.1, "naevus": 0.6, "keratosis": 0.2}, [0.1, 0.6, 0.1, 0.2]),
        ({"melanoma": 0, "naevus": 1, "keratosis": 0}, [0, 1, 0, 0]),
    ],
)
def test_priors(given: dict[str, float], expected: list[float]) -> None:
    found = priors(given, CLASSES)
    assert found is not None
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_columns_are_judged_once_and_one_may_stand_alone() -> None:
    assert options(CLASSES, "t", by="site").by == ("site",)
    assert options(CLASSES, "t", by=["site", "age", "site"]).by == ("site", "age")


def test_limits_may_be_given_as_they_are() -> None:
    assert options(CLASSES, "t", limits={"cer": {"max": 1}}).limits == {"cer": {"max": 1.0}}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"bootstrap": 99}, "from 100 to 100000 was expected, 99 arrived"),
        ({"seed": -1}, "from 0 to 4294967295 was expected, -1 arrived"),
        ({"critical": ["melanoma:naevus:x"]}, "TRUE:PREDICTED was expected"),
        ({"critical": ["mole:naevus"]}, "class 'mole' is not known"),
        ({"critical": ["naevus:naevus"]}, "TRUE and PREDICTED must differ"),
        ({"prior": {"naevus": 1.5}}, "1.5 arrived for naevus"),
        ({"prior": {"naevus": "half"}}, "half arrived for naevus"),
        ({"prior": {"naevus": 0.5}}, "melanoma, carcinoma, keratosis have none"),
        ({"prior": dict.fromkeys(CLASSES, 0.3)}, "priors must sum to 1, 1.2 arrived"),
        ({"severity_source": "isic2018"}, "class names must match those of t"),
        ({"limits": {"cerr": {"max": 1}}}, "finding 'cerr' is not known"),
        ({"limits": {"cer": {"most": 1}}}, "needs 'max' or 'min'"),
        ({"limits": {"cer": {"max": True}}}, "must be a number, True arrived"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        options(CLASSES, "t", **asked)


def test_a_pair_may_hold_class_names_with_colons() -> None:
    assert pair(("grade: 3", "grade: 0")) == ["grade: 3", "grade: 0"]
