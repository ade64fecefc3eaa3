"""Labels from a table of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import primum
from primum import tables
from primum.auditing.policy.fit import fit
from primum.tables.truth import with_labels

CLASSES = ("MEL", "NV", "BCC")
N = 30


def answers() -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(1)
    labels, probs = rng.integers(0, 3, N), rng.dirichlet(np.ones(3), N)
    frame = pl.DataFrame({"id": [f"ISIC_{i}" for i in range(N)]})
    return frame.with_columns(pl.Series(f"prob_{one}", probs[:, k]) for k, one in enumerate(CLASSES)), labels


def one_hot(labels: np.ndarray) -> pl.DataFrame:
    """Ground truth as a challenge publishes it, in another order of rows."""
    marks = {name: (labels == k).astype(float) for k, name in enumerate(CLASSES)}
    return pl.DataFrame({"image": [f"ISIC_{i}" for i in range(N)], **marks}).reverse()


def test_one_hot_truth_is_joined_by_id(tmp_path: Path) -> None:
    frame, labels = answers()
    one_hot(labels).write_csv(tmp_path / "truth.csv")
    found = with_labels(tables.read(frame), tmp_path / "truth.csv")
    assert found.labels.tolist() == labels.tolist()
    assert not found.notes
    assert primum.audit(frame, labels=one_hot(labels)).settings["n"] == N


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_of_labels_is_joined_by_a_named_key(ending: str, tmp_path: Path) -> None:
    frame, labels = answers()
    truth = pl.DataFrame({"lesion": frame["id"], "Label": np.array(CLASSES)[labels], "note": "x"})
    path = tmp_path / f"truth.{ending}"
    (truth.write_csv if ending == "csv" else truth.write_parquet)(path)
    assert with_labels(tables.read(frame), path, "lesion").labels.tolist() == labels.tolist()


def test_ids_are_spelled_alike_on_both_sides() -> None:
    frame, labels = answers()
    numbers = frame.with_columns(id=pl.int_range(N))
    truth = pl.DataFrame({"id": [f"{i}.0" for i in range(N)], "label": np.array(CLASSES)[labels]})
    assert with_labels(tables.read(numbers), truth).labels.tolist() == labels.tolist()


def test_what_has_no_partner_is_counted() -> None:
    frame, labels = answers()
    found = with_labels(tables.read(frame[5:]), one_hot(labels)[:20])
    assert (found.labels >= 0).sum() == 20
    assert any("5 cases have no row" in note for note in found.notes)
    short = with_labels(tables.read(frame[:10]), one_hot(labels))
    assert any("20 rows of the table of labels" in note for note in short.notes)


def test_what_does_not_fit_is_refused(refused: Callable[..., None]) -> None:
    frame, labels = answers()
    table, truth = tables.read(frame), one_hot(labels)
    refused(
        lambda: with_labels(table, pl.concat([truth, truth[:2]])), "must name every case once", "2 repeat"
    )
    refused(lambda: with_labels(table, truth.with_columns(image="x" + pl.col("image"))), "none of its 30 ids")
    refused(lambda: with_labels(table, truth.drop("NV")), "one column of 0 and 1 for every class")
    refused(lambda: with_labels(table, truth.rename({"image": "lesion"})), "--on")
    other = tables.read(frame.with_columns(label=pl.Series(np.array(CLASSES)[(labels + 1) % 3])))
    refused(lambda: with_labels(other, truth), "the labels of 30 cases differ")


def test_every_verb_that_needs_labels_takes_them(command: Callable[..., Any], tmp_path: Path) -> None:
    frame, labels = answers()
    frame.write_csv(tmp_path / "a.csv")
    frame.with_columns(prob_MEL=pl.col("prob_NV"), prob_NV=pl.col("prob_MEL")).write_csv(tmp_path / "b.csv")
    one_hot(labels).write_csv(tmp_path / "truth.csv")
    joined = ("--labels", tmp_path / "truth.csv", "--on", "image")
    for call in (
        ("audit", tmp_path / "a.csv", "--out", tmp_path / "o"),
        ("compare", tmp_path / "a.csv", tmp_path / "b.csv", "--out", tmp_path / "c"),
        ("defer", "fit", tmp_path / "a.csv", "--capacity", "0.2", "--out", tmp_path / "p.yaml"),
    ):
        assert command(*call)[0] == 2
        code, _, error = command(*call, *joined)
        assert (code, error) == (0, ""), call
    assert fit(frame, capacity=0.2, labels=one_hot(labels)).fit.n == N


def test_columns_may_be_named_for_each_of_two_tables(command: Callable[..., Any], tmp_path: Path) -> None:
    frame, labels = answers()
    names = np.array(CLASSES)[labels]
    first = frame.rename({"id": "case"}).with_columns(gt=pl.Series(names))
    second = frame.rename({"id": "image"}).with_columns(
        truth=pl.Series(names), prob_MEL=pl.col("prob_MEL") + 0
    )
    second = second.with_columns(prob_MEL=pl.col("prob_NV"), prob_NV=pl.col("prob_MEL"))
    first.write_csv(tmp_path / "a.csv")
    second.write_csv(tmp_path / "b.csv")
    call = ("compare", tmp_path / "a.csv", tmp_path / "b.csv", "--out", tmp_path / "o")
    assert command(*call, "--columns", "id=case,label=gt")[0] == 2
    code, _, error = command(*call, "--columns", "id=case,label=gt", "--columns", "id=image,label=truth")
    assert (code, error) == (0, "")
    code, _, error = command(*call, *("--columns", "id=case") * 3)
    assert code == 2
    assert "once for each of 2 tables, 3 arrived" in error
    pair = [{"id": "case", "label": "gt"}, {"id": "image", "label": "truth"}]
    assert primum.compare(first, second, columns=pair).settings["n"] == N
    code, _, error = command(
        "audit", tmp_path / "a.csv", *("--columns", "id=case") * 2, "--out", tmp_path / "o"
    )
    assert code == 2
    assert "once was expected for one table" in error
