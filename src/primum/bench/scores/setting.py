"""One data set and network: from the stored answers of its runs to cases and confidences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from primum import severity, tables
from primum.auditing.options import OPERATING_COVERAGE
from primum.bench.scores.answers import MEAN_ANSWER
from primum.bench.scores.metrics import Cases, Scored
from primum.bench.scores.names import gambled, of_passes
from primum.bench.scores.plan import FIT, GAMBLERS, Run
from primum.bench.scores.shifts import Shift, Variant
from primum.core.arrays import Integers, Strings
from primum.core.check import InputError
from primum.judge.metrics import selective
from primum.judge.statistics.interval import Resampler
from primum.predictions import Predictions
from primum.severity import SeverityMatrix


@dataclass(frozen=True, eq=False)
class Setting:
    """One data set and network, every run of it asked about every shift.

    Attributes:
        runs: its runs. out: folder of the bench.
        resampler, units: one bootstrap over the patients of all shifts, and the row of each in it, so that
            every figure is paired with every other.
    """

    runs: Sequence[Run]
    out: Path
    resampler: Resampler
    units: Mapping[str, int]

    @property
    def seeds(self) -> list[int]:
        """The seeds of its trainings."""
        return [run.seed for run in self.of(None, False)]

    @property
    def shifts(self) -> list[tuple[Variant | None, Shift]]:
        """What is judged, in the order of the file."""
        pairs = ((run.variant, shift) for run in self.runs for shift in run.shifts if shift != FIT)
        return list(dict.fromkeys(pairs))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The K class names."""
        run = self.runs[0]
        return read(run, self.out, FIT).classes

    @cached_property
    def severity(self) -> SeverityMatrix:
        """What the setting is judged by, in the order of its classes."""
        run = self.runs[0]
        return severity.read(run.severity).ordered(self.classes, run.data)

    def of(self, variant: Variant | None, gamblers: bool) -> list[Run]:
        """The runs of one variant, seed by seed, of Deep Gamblers or not."""
        return [run for run in self.runs if run.variant == variant and (run.loss == GAMBLERS) == gamblers]

    def cases(self, variant: Variant | None, shift: Shift) -> tuple[Cases, pl.Series | None]:
        """The cases of a shift, and where the image of each lies, if the table of the first run says so."""
        run = self.of(variant, False)[0]
        table = read(run, self.out, shift)
        rows = np.array([self.units[patient] for patient in patients(run, shift, table)], dtype=np.int64)
        weights = np.ascontiguousarray(self.resampler.weights[:, self.resampler.block[rows]].T)
        matrix = self.severity
        clusters = None if table.patients is None else table.patients.rank("dense").cast(pl.Int64).to_numpy()
        ids = table.ids.to_numpy().astype(np.str_)
        paths = table.metadata["path"].cast(pl.String) if "path" in table.metadata.columns else None
        return Cases(
            ids, table.labels, clusters=clusters, weights=weights, cost=matrix.cost, critical=matrix.critical
        ), paths

    def scored(
        self, variant: Variant | None, shift: Shift, ids: Strings
    ) -> tuple[dict[str, list[Scored]], dict[str, str]]:
        """Score → one :class:`Scored` per seed; and score → why it does not apply.

        Raises InputError where two runs were asked about different cases.
        """
        scores: dict[str, list[Scored]] = {}
        missing: dict[str, str] = {}
        for gamblers in (False, True):
            runs = self.of(variant, gamblers)
            for run in runs:
                fit, table = read(run, self.out, FIT), read(run, self.out, shift)
                if not np.array_equal(table.ids.to_numpy().astype(np.str_), ids):
                    raise InputError(
                        f"{run.stored(self.out, shift)}: other cases were asked about than in other runs; "
                        "remove the folder 'scores' of that run and start the bench again"
                    )
                missing |= table.source.get("not_applicable") or {}
                for name, score in table.scores.items():
                    threshold = selective.threshold_at_coverage(fit.scores[name], OPERATING_COVERAGE)
                    scores.setdefault(name, []).append(Scored(score, _decisions(table, name), threshold))
        counts = {name: len(self.of(variant, gambled(name))) for name in scores}
        for name in [name for name, seeds in scores.items() if len(seeds) < counts[name]]:
            missing.setdefault(name, "it does not apply to every seed")
            del scores[name]
        return scores, {name: why for name, why in missing.items() if name not in scores}


def line_up(runs: Sequence[Run], out: Path, replicates: int, seed: int = 0) -> Setting:
    """A setting with one bootstrap over the patients (else cases) of all its shifts."""
    people: dict[str, None] = {}
    # A setting needs the bootstrap, and the bootstrap all patients of its shifts: one without lists them.
    bare = Setting(runs, out, Resampler(np.zeros(1), 1, 0), {})
    for variant, shift in bare.shifts:
        run = bare.of(variant, False)[0]
        people |= dict.fromkeys(patients(run, shift, read(run, out, shift)))
    units = {patient: row for row, patient in enumerate(sorted(people))}
    return Setting(runs, out, Resampler(np.arange(len(units)), replicates, seed), units)


def patients(run: Run, shift: Shift, table: Predictions) -> list[str]:
    """(N,) who each case is drawn with; patients of another data set are other people."""
    data = shift.name if shift.kind == "elsewhere" else run.data
    return [f"{data} {patient}" for patient in (table.ids if table.patients is None else table.patients)]


def read(run: Run, out: Path, shift: Shift) -> Predictions:
    """The stored answers of a run about a shift."""
    return tables.read(run.stored(out, shift))


def _decisions(table: Predictions, score: str) -> Integers:
    if not of_passes(score):
        return table.predicted
    position = {name: at for at, name in enumerate(table.classes)}
    return np.array([position[name] for name in table.metadata[MEAN_ANSWER]], dtype=np.int64)
