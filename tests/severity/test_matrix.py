"""Severity matrices: how they are built, read, refused and linted."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from primum import severity
from primum.core.check import InputError
from primum.severity import SeverityMatrix, from_dict, never_defer_cost, read

LEVELS = {"fine": 1, "false_alarm": 2, "critical": 10}
GROUPS = {"bad": ["m", "c"], "good": ["n"]}
COST = np.array([[0, 1, 10], [1, 0, 10], [2, 2, 0]], dtype=float)


def three(**rest: Any) -> SeverityMatrix:
    return SeverityMatrix.from_groups(GROUPS, LEVELS, [["bad", "good"]], **rest)


def test_from_groups() -> None:
    made = three(unit="visits", source="a panel", defer=0.5)
    assert made.classes == ("m", "c", "n")
    np.testing.assert_array_equal(made.cost, COST)
    np.testing.assert_array_equal(made.critical, COST == 10)
    assert made.critical_classes.tolist() == [True, True, False]
    assert (made.unit, made.source, made.defer) == ("visits", "a panel", 0.5)
    np.testing.assert_array_equal(made.scaled, COST / 10)
    np.testing.assert_array_equal(three(classes=["n", "m", "c"]).cost, COST[np.ix_([2, 0, 1], [2, 0, 1])])


@pytest.mark.parametrize("name", severity.presets())
def test_presets_load_and_lint_clean(name: str) -> None:
    preset = read(name)
    assert preset.name == name
    cheap = ["a critical error costs less than some error that is not critical"]
    assert preset.lint() == (cheap if name == "isic2018_rewards" else [])
    assert preset.critical.any()
    np.testing.assert_array_equal(read(f"{name}.yaml").cost, preset.cost)


def test_isic_cells_are_the_published_ones() -> None:
    preset = read("isic2018")
    critical = {(a, b) for a in ("MEL", "BCC", "AKIEC") for b in ("NV", "BKL", "DF", "VASC")}
    found = severity.pairs(preset.classes, preset.critical)
    assert {(a, b) for a, b in found} == critical
    assert set(np.unique(preset.cost)) == {0, 1, 2, 10}


REWARDS = {
    "AKIEC": [2, -2, -3, -3, -2, -3, -3],
    "BCC": [-2, 3, -4, -4, -2, -4, -4],
    "BKL": [-2, -2, 1, -2, -3, -2, -2],
    "DF": [-2, -2, -2, 1, -3, -2, -2],
    "MEL": [-4, -3, -5, -5, 5, -5, -5],
    "NV": [-2, -2, -2, -2, -3, 1, -2],
    "VASC": [-2, -2, -2, -2, -3, -2, 1],
}


def test_expert_rewards_are_costs_below_the_right_answer() -> None:
    preset = read("isic2018_rewards").ordered(tuple(REWARDS), "the published order")
    rewards = np.array(list(REWARDS.values()))
    np.testing.assert_array_equal(preset.cost, np.diag(rewards)[:, None] - rewards)
    assert preset.cost[4].tolist() == [9, 8, 10, 10, 0, 10, 10]
    plain = read("isic2018")
    np.testing.assert_array_equal(preset.ordered(plain.classes, "isic2018").critical, plain.critical)


@pytest.mark.parametrize(
    ("name", "sick", "well"),
    [
        ("chest_xray_subtypes", ["bacterial", "viral"], ["normal"]),
        ("breakhis", ["malignant"], ["benign"]),
        ("breakhis_subtypes", ["DC", "LC", "MC", "PC"], ["A", "F", "PT", "TA"]),
        ("sicapv2", ["G3", "G4", "G5"], ["NC"]),
    ],
)
def test_sick_called_well_is_critical(name: str, sick: list[str], well: list[str]) -> None:
    preset = read(name)
    found = {(true, decided) for true, decided in severity.pairs(preset.classes, preset.critical)}
    assert found == set(itertools.product(sick, well))


def test_a_file_of_the_name_of_a_preset_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("isic2018.yaml").write_text("classes: [a, b]\ncost: [[0, 1], [3, 0]]")
    assert read("isic2018.yaml").classes == ("a", "b")
    assert len(read("isic2018").classes) == 7


def test_yaml_both_ways(tmp_path: Path) -> None:
    groups = tmp_path / "groups.yaml"
    groups.write_text(yaml.safe_dump({"groups": GROUPS, "cost": LEVELS, "critical": [["bad", "good"]]}))
    whole = tmp_path / "whole.yaml"
    whole.write_text(yaml.safe_dump(read(groups).to_dict()))
    for path in (groups, whole):
        found = read(path)
        np.testing.assert_array_equal(found.cost, COST)
        np.testing.assert_array_equal(found.critical, COST == 10)


def test_a_name_inside_the_file_is_kept() -> None:
    assert (
        from_dict({"classes": ["a", "b"], "cost": [[0, 1], [1, 0]], "name": "ours"}, "s.yaml").name == "ours"
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(separator: str, tmp_path: Path) -> None:
    rows = [["", "m", "c", "n"], ["m", "0", "1", "10"], ["c", "1", "0", "10"], ["n", "2", "2", "0"]]
    path = tmp_path / "s.csv"
    path.write_text("\ufeff" + "\n".join(separator.join(row) for row in rows), encoding="utf-8")
    found = read(path)
    assert found.classes == ("m", "c", "n")
    np.testing.assert_array_equal(found.cost, COST)
    assert not found.critical.any()


def test_to_dict_and_back() -> None:
    made = three(defer=0.25, unit="u", source="s", name="ours")
    again = from_dict(made.to_dict(), "file")
    assert again.to_dict() == made.to_dict()


@pytest.mark.parametrize("order", list(itertools.permutations(("m", "c", "n"))))
def test_ordered_moves_every_cell_with_its_names(order: tuple[str, ...]) -> None:
    made = three(defer=0.5)
    moved = made.ordered(order, "t.csv")
    assert moved.classes == order
    for a, b in itertools.product(order, order):
        old, new = (made.classes.index(a), made.classes.index(b)), (order.index(a), order.index(b))
        assert made.cost[old] == moved.cost[new]
        assert made.critical[old] == moved.critical[new]
    assert moved.defer == 0.5


def test_ordered_refuses_other_classes() -> None:
    with pytest.raises(InputError, match=r"those of t.csv \(m, c, x\): x missing and n unknown"):
        three().ordered(("m", "c", "x"), "t.csv")


def test_nobody_can_change_it() -> None:
    made = three()
    with pytest.raises(ValueError, match="read-only"):
        made.cost[0, 1] = 5
    given = COST.copy()
    kept = SeverityMatrix(("m", "c", "n"), given, COST == 10)
    given[0, 1] = 99
    assert kept.cost[0, 1] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cost": [[0, 0, 10], [1, 0, 10], [2, 2, 0]]}, "these mistakes cost nothing: m called c"),
        ({"critical": []}, "no cell is critical"),
        ({"critical": [["m", "c"]]}, "a critical error costs less than some error that is not"),
        ({"defer": 0}, "deferring every case is always optimal"),
        ({"defer": 9}, "it is never optimal"),
    ],
)
def test_lint(change: dict[str, Any], says: str) -> None:
    sentences = from_dict(three().to_dict() | change, "s").lint()
    assert len(sentences) == 1
    assert says in sentences[0]


def test_deferral_at_the_limit_is_linted_and_just_below_it_is_not() -> None:
    limit = never_defer_cost(COST)
    assert three(defer=limit).lint()
    assert three(defer=limit * 0.999).lint() == []


def test_isic_deferral_limit() -> None:
    assert never_defer_cost(read("isic2018").cost) == pytest.approx(1.84, abs=0.005)


GRID = np.array([(i, j, 100 - i - j) for i in range(101) for j in range(101 - i)]) / 100


@given(arrays(np.float64, (3, 3), elements=st.floats(0, 10)))
def test_deferral_limit_against_brute_force(cost: np.ndarray) -> None:
    np.fill_diagonal(cost, 0)
    brute = float((GRID @ cost).min(axis=1).max())
    limit = never_defer_cost(cost)
    assert brute <= limit + 1e-9
    assert limit - brute <= 0.02 * cost.max() + 1e-9  # a grid point lies within 0.01 of every class's share


TWO = {"classes": ["a", "b"], "cost": [[0, 1], [1, 0]]}
GROUPED = {"groups": GROUPS, "cost": LEVELS, "critical": [["bad", "good"]]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (TWO | {"costs": 1}, r"unknown key 'costs' \(did you mean 'cost'\?\)"),
        ({1: 2, **TWO}, "unknown key '1'"),
        ({"classes": ["a", "b"]}, "a severity file needs 'cost'"),
        (TWO | {"classes": ["a"]}, "at least two classes are needed"),
        (TWO | {"classes": ["a", "a"]}, "class names must differ, a stands more than once"),
        (TWO | {"classes": ["a", " "]}, "every class needs a name"),
        (TWO | {"classes": "ab"}, "a list of class names was expected, 'ab' arrived"),
        (TWO | {"classes": ["YES", False]}, "put it in quotes"),
        ({"cost": [[0, 1], [1, 0]]}, "at least two classes are needed"),
        (TWO | {"cost": LEVELS}, "levels of cost need 'groups'"),
        (TWO | {"cost": [[0, 1, 1], [1, 0, 1]]}, "must be square, 2×3 arrived"),
        (TWO | {"cost": [[0, 1], [1]]}, "must be square"),
        (TWO | {"cost": [[0, None], [1, 0]]}, "must be finite|must be square"),
        (TWO | {"cost": np.zeros((3, 3)).tolist()}, "2 classes need a 2×2 cost matrix, 3×3 arrived"),
        (TWO | {"cost": [[0, -2], [1, 0]]}, "a cost cannot be negative, -2 arrived for a called b"),
        (TWO | {"cost": [[0, 2], [1, 3]]}, "a right answer must cost 0, the diagonal holds 3 for b"),
        (TWO | {"cost": [[0, float("nan")], [1, 0]]}, "costs must be finite"),
        (TWO | {"critical": [["a", "b", "a"]]}, "a critical cell is a"),
        (TWO | {"critical": ["ab"]}, "a critical cell is a"),
        (TWO | {"critical": "ab"}, "critical must be a list of"),
        (TWO | {"critical": [["a", "c"]]}, "class 'c' is not known"),
        (TWO | {"critical": [["a", "a"]]}, "a right answer cannot be a critical error"),
        (TWO | {"defer": -1}, "the cost of deferring must be a number from 0 to 1e\\+12, '-1' arrived"),
        (TWO | {"defer": "much"}, "the cost of deferring must be a number"),
        (TWO | {"defer": True}, "the cost of deferring must be a number"),
        (TWO | {"defer": float("nan")}, "the cost of deferring must be a number"),
        (GROUPED | {"groups": ["m"]}, "'groups' must be names with values"),
        (GROUPED | {"cost": [1, 2]}, "'cost' must be names with values"),
        (
            GROUPED | {"groups": {"bad": "m", "good": ["n"]}},
            "a list of class names was expected, 'm' arrived",
        ),
        (GROUPED | {"groups": {"bad": ["m"], "good": ["m", "n"]}}, "m stands more than once"),
        (GROUPED | {"groups": {"bad": ["m"], "good": [False]}}, "put it in quotes"),
        (GROUPED | {"classes": ["m", "c"]}, "class names must match those of classes"),
        (GROUPED | {"cost": {"fine": 1, "critical": 2}}, "cost needs the levels fine, false_alarm, critical"),
        (
            GROUPED | {"cost": LEVELS | {"critical": "ten"}},
            "cost critical must be a number from 0 to 1e\\+12, 'ten'",
        ),
        (GROUPED | {"cost": LEVELS | {"fine": -1}}, "cost fine must be a number from 0 to 1e\\+12, '-1'"),
        (GROUPED | {"critical": [["bad", "ugly"]]}, "pairs of bad, good"),
        (GROUPED | {"critical": ["bad", "good"]}, "pairs of bad, good"),
    ],
)
def test_errors(content: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        from_dict(content, "s.yaml")
    assert str(refused.value).startswith("s.yaml")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x,a,b\na,0,1\n", "first row and the first column must hold the same class names"),
        ("x,a,b\nb,0,1\na,1,0\n", "in one order"),
        ("x,a,b\na,0,1\nb,1\n", "must be square"),
        ("x,a,b\na,0,one\nb,1,0\n", "every cost must be a number, 'one' arrived"),
        ("\n\n", "at least two classes"),
        ("x,a,b\na,0,-1\nb,1,0\n", "cannot be negative"),
    ],
)
def test_csv_errors(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(content)
    with pytest.raises(InputError, match=says):
        read(tmp_path / "s.csv")


def test_the_wrong_shape_of_critical_is_refused() -> None:
    with pytest.raises(InputError, match="critical cells must be a matrix of the shape of cost"):
        SeverityMatrix(("a", "b"), np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros((3, 3), dtype=bool))


def test_a_matrix_of_costs_alone_has_no_critical_cell_and_can_be_pickled() -> None:
    matrix = SeverityMatrix(("a", "b"), np.array([[0.0, 1.0], [2.0, 0.0]]))
    assert not matrix.critical.any()
    again = pickle.loads(pickle.dumps(matrix))
    assert again.to_dict() == matrix.to_dict()
    assert not again.cost.flags.writeable
    assert repr(again) == "SeverityMatrix('severity', a, b, 0 critical cells)"
