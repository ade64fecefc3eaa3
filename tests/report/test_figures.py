"""The pictures: drawn from plain lists, calm about few cases and odd names."""

from __future__ import annotations

import pytest

from primum.report import drawings, figures, matrix
from primum.report.content import read
from tests.report.example_audit import audit


def test_reliability_draws_every_bin_with_its_interval_and_count() -> None:
    bins = read(audit()).sections.reliability[0].bins
    points = figures.reliability(bins).data[1]
    assert list(points.y) == [one.accuracy for one in bins]
    assert points.error_y.array[0] == pytest.approx(bins[0].accuracy_high - bins[0].accuracy)
    assert [row[2] for row in points.customdata] == [one.n for one in bins]
    assert figures.reliability([]).layout.height


def test_risk_coverage_draws_one_line_per_score() -> None:
    curves = [one for one in read(audit()).sections.risk_coverage if one.residual == "error"]
    figure = figures.risk_coverage(curves, at=0.8)
    assert [line.name for line in figure.data] == ["msr", "pe", "margin"]
    assert max(len(line.x) for line in figure.data) <= figures.MOST_POINTS
    assert figure.data[0].x[-1] == curves[0].coverage[-1]


def test_names_cannot_carry_markup() -> None:
    row = figures.Whisker('<a href="https://example.org">b</a>', 0.1, 0.0, 0.2)
    note = figures.dots_and_whiskers([row], "cost").layout.annotations[0].text
    assert "<a" not in note
    assert len(figures.plain("x" * 500)) == 44


def test_no_curve_uses_the_critical_colour() -> None:
    assert figures.CRITICAL not in figures.CURVES


@pytest.mark.parametrize(
    ("missed", "total", "per", "filled"), [(7, 390, 1, 7), (1, 4000, 10, 1), (0, 5, 1, 0)]
)
def test_dots(missed: int, total: int, per: int, filled: int) -> None:
    svg, each = drawings.dots(missed, total)
    assert each == per
    assert svg.count('class="missed"') == filled
    assert svg.count("<circle") <= drawings.MOST_DOTS


def test_matrix_rows_sum_even_when_cut() -> None:
    size = 40
    counts = [[(row * 7 + column) % 5 for column in range(size)] for row in range(size)]
    names = [f"c{at}" for at in range(size)]
    laid = matrix.lay_out(counts, names, [("c3", "c38")])
    assert laid["hidden"] == size - matrix.SHOWN_CLASSES
    assert {"c3", "c38"} <= set(laid["columns"])
    for row in laid["rows"]:
        assert sum(cell["count"] for cell in row["cells"]) + row["elsewhere"] == row["total"]
    fatal = [row["name"] for row in laid["rows"] for cell in row["cells"] if cell["critical"]]
    assert fatal == ["c3"]
