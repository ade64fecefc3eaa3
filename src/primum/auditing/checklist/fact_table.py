"""The facts an item of a checklist may name under ``known``."""

from __future__ import annotations

from collections.abc import Callable

from primum.auditing.checklist import data_facts as data
from primum.auditing.checklist import result_facts as results
from primum.auditing.checklist.facts import Fact, Facts

FACTS: dict[str, Callable[[Facts], Fact | None]] = {
    function.__name__: function
    for function in (
        data.trained_on,
        data.training_and_judged,
        data.cases,
        data.uses,
        data.splits,
        data.training_rows,
        data.flow,
        data.classes,
        data.people,
        data.places,
        data.left_out,
        data.fit_and_judged,
        data.fit_apart,
        data.training_apart,
        results.by_people,
        results.by_place,
        results.measures,
        results.intervals,
        results.uncertainty,
        results.recalibration,
        results.loss,
        results.output,
        results.confusions,
        results.robustness,
        results.members,
        results.explanations,
        results.explanations_tested,
        results.failures,
        results.deferral,
    )
}
