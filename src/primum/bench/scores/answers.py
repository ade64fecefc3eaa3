"""Answers of a trained network about each shift, with every score, stored in the folder of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from primum import tables
from primum.auditing.answers import Scoring, learned
from primum.bench.scores.names import gambled, of_passes
from primum.bench.scores.plan import FIT, GAMBLERS, Run
from primum.bench.scores.shifts import Shift, elsewhere
from primum.bench.tasks import Task
from primum.core import files
from primum.core.arrays import Floats, Singles
from primum.judge.confidence import ALONE, RANKED
from primum.predictions import Predictions
from primum.tables.selection import reordered

if TYPE_CHECKING:
    from primum.data.images import ImageTable
    from primum.model.backbone import Network

MEAN_ANSWER = "mcd_answer"


@dataclass(frozen=True, eq=False)
class Answers:
    """One network's answers about one shift.

    Attributes:
        once: of each image as it is, with embeddings. mean: the mean over passes, or None without dropout.
    """

    once: Predictions
    mean: Predictions | None

    @property
    def scored(self) -> Predictions:
        """The answers with every score that comes with them."""
        scores = dict(self.once.scores)
        if self.mean is not None:
            scores |= {name: score for name, score in self.mean.scores.items() if of_passes(name)}
        return replace(self.once, scores={name: score for name, score in scores.items() if name in RANKED})


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network and its images.

    Attributes:
        network, run: what was trained. table: the images it was trained on, as the run splits them.
        complete: all images of the data set. stores: folder of the features that all runs share.
    """

    network: Network
    run: Run
    table: ImageTable
    complete: ImageTable
    stores: Path

    def answer(self, shift: Shift, passes: int) -> Answers:
        """Answers about the rows of a shift; features of a frozen trunk are computed once for all runs."""
        from primum.model import stored_features
        from primum.model.predict import predict

        table, complete = self.table, self.complete
        if shift.kind == "elsewhere":
            table = complete = elsewhere(shift, self.run.recipe.data)
        images, mean = table.take(shift.rows(table)), None
        if self.run.recipe.network.trunk == "frozen":
            features = self._features(images, complete, shift)
            once = stored_features.once(self.network, images, features)
            if passes:
                mean = stored_features.many(self.network, images, features, passes)
        else:
            ask = partial(
                predict, self.network, images, progress=False,
                corruption=None if shift.level is None else (shift.name, shift.level),
            )  # fmt: skip
            once = ask()
            if passes:
                mean = ask(embeddings=False, passes=passes)
        return Answers(_ordered(once), None if mean is None else _ordered(mean))

    def _features(self, images: ImageTable, complete: ImageTable, shift: Shift) -> Singles:
        """(N, D + S) features of the images of a shift, from a file that every run shares."""
        from primum.model import features
        from primum.model.images import Images

        transform = self.network.card.transform
        if shift.level is not None:
            corrupted = Images(images, transform, (shift.name, shift.level))
            return np.asarray(features.cached(self.network, corrupted, self.stores))
        return features.shared(self.network, Images(images, transform), complete, self.stores)

    def train_rows(self, folder: Path) -> Predictions:
        """The rows the network was trained on, with embeddings and what each stage saw."""
        rows = tables.read(folder / "predictions" / "train.parquet")
        rows = reordered(rows, self.network.card.classes)
        if rows.embeddings is not None:
            return rows
        from primum.model import stored_features

        place = {name: row for row, name in enumerate(self.table.cases["id"])}
        images = self.table.take(np.array([place[name] for name in rows.ids], dtype=np.int64))
        features = stored_features.once(self.network, images, self._features(images, self.complete, FIT))
        return replace(rows, embeddings=features.embeddings, stages=features.stages)


def question(run: Run, out: Path, shifts: tuple[Shift, ...], passes: int) -> Callable[[Task], None]:
    """A task's ``ask``: answers of a finished run about these shifts, stored as they come."""
    return partial(ask, run=run, out=out.resolve(), shifts=shifts, passes=passes)


def ask(task: Task, run: Run, out: Path, shifts: tuple[Shift, ...], passes: int) -> None:
    """Ask the network in the folder of a task about shifts; each is written whole, with all its scores."""
    import torch

    from primum.model import backbone
    from primum.model.material import finished

    torch.set_num_threads(task.threads)
    trained = Trained(backbone.load(task.folder), run, *finished(run.recipe, task.folder), task.features)
    count = passes if run.drops else 0
    fit_answers = trained.answer(FIT, count)
    fit, gambles = fit_answers.scored, run.loss == GAMBLERS
    names = tuple(name for name in ALONE if gambled(name) == gambles)
    scoring = Scoring(fit, trained.train_rows(task.folder), names)
    errors = scoring.of_rule(fit.correct, scoring.of_fit)
    for shift in shifts:
        answers = fit_answers if shift == FIT else trained.answer(shift, count)
        scored = answers.scored
        computed, missing = scoring.of(scored)
        scores = {name: score for name, score in computed.items() if name in names}
        if not gambles:
            additions, reasons = learned(errors, [scored], [scores])
            scores, missing = scores | additions[0], missing | reasons
        with files.whole(run.stored(out, shift)) as draft:
            tables.write(_stored(run, shift, answers, scores, missing), draft)


def _stored(
    run: Run, shift: Shift, answers: Answers, scores: dict[str, Floats], missing: dict[str, str]
) -> Predictions:
    """The answers, every score, the answers of the mean over passes, and why a score is missing."""
    once, n = answers.once, len(answers.once)
    columns: list[pl.Expr | pl.Series] = [
        pl.lit(shift.name).alias("shift"),
        pl.lit(shift.level, pl.Int64).alias("shift_level"),
        pl.lit(shift.kind).alias("shift_kind"),
    ]
    if answers.mean is not None:
        columns.append(pl.Series(MEAN_ANSWER, np.array(once.classes)[answers.mean.predicted]))
    metadata = once.metadata if once.metadata.width else pl.DataFrame({"row": np.arange(n)})
    frozen = run.recipe.network.trunk == "frozen"  # their features are stored once for every run
    of_mean = {} if answers.mean is None else {"mc_dropout": answers.mean.source.get("mc_dropout")}
    return replace(
        once,
        embeddings=None if frozen else once.embeddings,
        stages=None if frozen else once.stages,
        scores=scores,
        metadata=metadata.with_columns(columns),
        source=dict(once.source) | of_mean | {"not_applicable": missing},
    )


def _ordered(answers: Predictions) -> Predictions:
    # Runs list the same images in the order of their folders: by id, every run has the same rows.
    return answers.take(answers.ids.arg_sort().to_numpy())
