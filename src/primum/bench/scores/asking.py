"""What a trained network says about each shift, every score beside it, kept in the folder of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
class Asked:
    """One network's answers about one shift.

    Attributes:
        once: seen as it is, with embeddings. mean: the mean over passes, or None without dropout.
    """

    once: Predictions
    mean: Predictions | None

    @property
    def brought(self) -> dict[str, Floats]:
        """The scores that come with the answers."""
        passed = {} if self.mean is None else {n: s for n, s in self.mean.scores.items() if of_passes(n)}
        return {name: score for name, score in {**self.once.scores, **passed}.items() if name in RANKED}

    @property
    def scored(self) -> Predictions:
        """The answers with every score that comes with them."""
        return replace(self.once, scores=self.brought)


def asking(run: Run, out: Path, shifts: tuple[Shift, ...], passes: int) -> Callable[[Task], None]:
    """A task's ``ask``: answers of a finished run about these shifts, stored as they come."""
    return partial(ask, run=run, out=out.resolve(), shifts=shifts, passes=passes)


def ask(task: Task, run: Run, out: Path, shifts: tuple[Shift, ...], passes: int) -> None:
    """Ask the network in the folder of a task about shifts; each is written whole, with all its scores."""
    import torch

    from primum.model import backbone
    from primum.model.material import finished

    torch.set_num_threads(task.threads)
    network = backbone.load(task.folder)
    table, whole = finished(run.recipe, task.folder)
    count = passes if run.drops else 0
    answered = partial(_asked, network, run, whole, table, task.features, passes=count)
    fit_rows = answered(FIT)
    fit, gambles = fit_rows.scored, run.loss == GAMBLERS
    names = tuple(name for name in ALONE if gambled(name) == gambles)
    scoring = Scoring(fit, _train_rows(network, whole, table, task), names)
    errors = scoring.of_rule(fit.correct, scoring.of_fit)
    for shift in shifts:
        asked = fit_rows if shift == FIT else answered(shift)
        computed, missing = scoring.of(asked.scored)
        scores = {name: score for name, score in computed.items() if name in names}
        if not gambles:
            additions, reasons = learned(errors, [asked.scored], [scores])
            scores, missing = scores | additions[0], missing | reasons
        with files.whole(run.stored(out, shift)) as draft:
            tables.write(_stored(run, shift, asked, scores, missing), draft)


def _stored(
    run: Run, shift: Shift, asked: Asked, scores: dict[str, Floats], missing: dict[str, str]
) -> Predictions:
    """The answers seen once, every score, the answers of the mean over passes, and why a score is missing."""
    once, n = asked.once, len(asked.once)
    columns: list[pl.Expr | pl.Series] = [
        pl.lit(shift.name).alias("shift"),
        pl.lit(shift.level, pl.Int64).alias("shift_level"),
        pl.lit(shift.kind).alias("shift_kind"),
    ]
    if asked.mean is not None:
        columns.append(pl.Series(MEAN_ANSWER, np.array(once.classes)[asked.mean.predicted]))
    metadata = once.metadata if once.metadata.width else pl.DataFrame({"row": np.arange(n)})
    frozen = run.recipe.network.trunk == "frozen"  # their features are stored once for every run
    of_mean = {} if asked.mean is None else {"mc_dropout": asked.mean.source.get("mc_dropout")}
    return replace(
        once,
        embeddings=None if frozen else once.embeddings,
        scores=scores,
        metadata=metadata.with_columns(columns),
        source=dict(once.source) | of_mean | {"not_applicable": missing},
    )


def _asked(
    network: Network,
    run: Run,
    whole: ImageTable,
    table: ImageTable,
    stores: Path,
    shift: Shift,
    *,
    passes: int,
) -> Asked:
    """Answers about the rows of a shift; features of a frozen trunk are computed once for all runs."""
    from primum.model import stored_features
    from primum.model.predict import predict

    if shift.kind == "elsewhere":
        whole = table = elsewhere(shift, run.recipe.data)
    shown = table.take(shift.rows(table))
    if run.recipe.network.trunk == "frozen":
        found = _features(network, whole, shown, shift, stores)
        once = stored_features.once(network, shown, found)
        mean = stored_features.many(network, shown, found, passes) if passes else None
    else:
        corruption = None if shift.level is None else (shift.name, shift.level)
        asked: dict[str, Any] = {"progress": False, "corruption": corruption}
        once = predict(network, shown, **asked)
        mean = predict(network, shown, embeddings=False, passes=passes, **asked) if passes else None
    return Asked(_ordered(once), None if mean is None else _ordered(mean))


def _ordered(answers: Predictions) -> Predictions:
    return answers.take(answers.ids.arg_sort().to_numpy())


def _features(network: Network, whole: ImageTable, shown: ImageTable, shift: Shift, stores: Path) -> Singles:
    """(N, D) features of the images of a shift, from a file that every run shares."""
    from primum.model import features
    from primum.model.images import Images

    transform = network.card.transform
    if shift.level is not None:
        changed = Images(shown, transform, (shift.name, shift.level))
        return np.asarray(features.cached(network, changed, stores))
    return features.shared(network, Images(shown, transform), whole, stores)


def _train_rows(network: Network, whole: ImageTable, table: ImageTable, task: Task) -> Predictions:
    """The rows the network was trained on, with embeddings."""
    told = tables.read(task.folder / "predictions" / "train.parquet")
    told = reordered(told, network.card.classes)
    if told.embeddings is not None:
        return told
    from primum.model import features
    from primum.model.images import Images

    at = {one: row for row, one in enumerate(table.cases["id"])}
    rows = np.array([at[one] for one in told.ids], dtype=np.int64)
    images = Images(table.take(rows), network.card.transform)
    found = features.shared(network, images, whole, task.features)
    return replace(told, embeddings=found)
