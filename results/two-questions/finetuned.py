"""Ask a network that was trained whole about shifts, laid out as a bench of scores is.

python results/two-questions/finetuned.py RUN DATA OUT/runs/chest/lite0/whole/cross-entropy/seed-0
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import polars as pl

from primum import tables
from primum.auditing.answers import Scoring
from primum.bench.scores.plan import FIT, IID
from primum.bench.scores.shifts import Shift
from primum.data import sets as data
from primum.model.predict import predict
from primum.model.recipe import Recipe
from primum.model.run_split import run_split
from primum.predictions import Predictions

LEVELS = (3, 5)
CORRUPTIONS = {
    "chest_xray": ("brightness_down", "motion_blur", "gaussian_noise", "letter_marker"),
    "ham10000": ("brightness_down", "motion_blur", "elastic", "gaussian_noise"),
}
ELSEWHERE = {"chest_xray": "chest_xray_nih"}


def main() -> None:
    """Answers about calibration rows, test rows, corruptions and another hospital, with every score."""
    run, root, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) / "scores"
    source = Recipe.read(run / "recipe.yaml").data
    name = source.name
    rows = {split: run_split(run, source, name, root, split)[0] for split in ("train", "cal", "test")}
    scoring = Scoring(predict(run, rows["cal"]), predict(run, rows["train"]))
    assert scoring.fit is not None
    answers = {FIT: scoring.fit, IID: predict(run, rows["test"])}
    for kind in CORRUPTIONS[name]:
        for level in LEVELS:
            answers[Shift("corruption", kind, level)] = predict(run, rows["test"], corruption=(kind, level))
    if name in ELSEWHERE:
        elsewhere = data.load(ELSEWHERE[name], root, 0)
        answers[Shift("elsewhere", ELSEWHERE[name])] = predict(run, elsewhere)
    for shift, table in answers.items():
        tables.write(_stored(shift, table, scoring), out / f"{shift.slug}.parquet")


def _stored(shift: Shift, table: Predictions, scoring: Scoring) -> Predictions:
    scores, _ = scoring.of(table)
    metadata = table.metadata.with_columns(
        pl.lit(shift.name).alias("shift"), pl.lit(shift.kind).alias("shift_kind")
    )
    return replace(table, scores=scores, metadata=metadata, embeddings=None, stages=None)


if __name__ == "__main__":
    main()
