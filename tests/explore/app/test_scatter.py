"""What the figures show, point by point."""

from __future__ import annotations

import numpy as np
import pytest

from primum.explore.app import colouring, scatter
from primum.report import figures


def points(figure):
    """Row → colour of every case that is drawn as a point."""
    found = {}
    for trace in figure.data[1:]:
        if trace.marker.line.width != 0:
            continue
        colours = trace.marker.color
        for at, row in enumerate(trace.customdata):
            assert row not in found
            found[row] = colours if isinstance(colours, str) else colours[at]
    return found


def ringed(figure):
    """Row → colour of the ring around it."""
    return {
        row: trace.marker.color
        for trace in figure.data[1:]
        if trace.marker.line.width
        for row in trace.customdata
    }


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(
    "what", ["confusion", "domain", "label", "predicted", "score_msr", "column site", "column age"]
)
def test_every_kept_case_is_one_point_at_its_place(stage, dimensions, what) -> None:
    kept = (stage.cases["label"] == "melanoma").to_numpy()
    figure = scatter.figure(stage, dimensions, kept, colouring.by(stage, what), marked=False)
    assert sorted(points(figure)) == np.flatnonzero(kept).tolist()
    for trace in figure.data[1:]:
        place = np.stack([trace[axis] for axis in "xyz"[:dimensions]], axis=1)
        assert (place == stage.positions[dimensions][list(trace.customdata)]).all()


def test_failures_are_ringed_by_kind(stage) -> None:
    every = np.ones(len(stage.scene), dtype=bool)
    figure = scatter.figure(stage, 2, every, colouring.by(stage, "domain"), marked=True)
    wanted = {}
    for one in stage.cases.iter_rows(named=True):
        if one["label"] != one["predicted"]:
            silent = one["silent"]
            wanted[one["row"]] = (
                figures.SOFT if not silent else figures.CRITICAL if one["critical"] else figures.INK
            )
    assert ringed(figure) == wanted
    assert set(wanted.values()) == {figures.SOFT, figures.INK, figures.CRITICAL}


def test_what_is_not_in_focus_is_faint(stage) -> None:
    every, focus = np.ones(len(stage.scene), dtype=bool), np.zeros(len(stage.scene), dtype=bool)
    focus[:7] = True
    figure = scatter.figure(stage, 2, every, colouring.by(stage, "label"), marked=False, focus=focus)
    assert {row for row, colour in points(figure).items() if colour != scatter.FAINT} == set(range(7))


def test_the_confusions_are_those_of_the_table(stage) -> None:
    found = colouring.by(stage, "confusion")
    for one, group in zip(stage.cases.iter_rows(named=True), found.group, strict=True):
        right = one["label"] == one["predicted"]
        assert found.names[group] == ("right" if right else f"{one['label']} called {one['predicted']}")
    critical = [name for name in found.names if name.endswith("called naevus")]
    assert found.names[1 : 1 + len(critical)] == tuple(critical)
    assert figures.CRITICAL not in found.colours


def test_no_text_of_a_table_becomes_markup(stage) -> None:
    from dataclasses import replace

    shown = replace(stage.scene, cases=stage.cases.with_columns(predicted=stage.cases["predicted"] + "<b>"))
    assert not any("<b>" in text for text in scatter.hovers(shown.cases))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_chosen_case_is_marked_where_it_lies(stage, dimensions) -> None:
    every = np.ones(len(stage.scene), dtype=bool)
    figure = scatter.figure(stage, dimensions, every, colouring.by(stage, "label"), marked=False, chosen=4)
    mark = figure.data[scatter.MARK]
    assert [mark[axis][-1] for axis in "xyz"[:dimensions]] == stage.positions[dimensions][4].tolist()
    assert mark.marker.size[-1] == scatter.RING
    assert mark.customdata[-1] == 4


def test_a_case_that_is_not_drawn_is_not_marked(stage) -> None:
    stage.positions[3][4] = np.nan
    every = np.ones(len(stage.scene), dtype=bool)
    figure = scatter.figure(stage, 3, every, colouring.by(stage, "label"), marked=False, chosen=4)
    assert not figure.data[scatter.MARK].x
    assert 4 not in points(figure)
