"""Result folders of fd-shifts: what comes out of them, and what is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

import primum
from primum import tables
from primum.tables.fd_shifts import folder as fd_shifts

N, K, S, D, M = 120, 3, 6, 8, 100


def arrays() -> dict[str, Any]:
    """What a run of three data sets leaves behind: validation, its own test set and a shifted one."""
    rng = np.random.default_rng(0)
    index = np.repeat([0, 1, 2], N // 3)
    layer, bias = rng.normal(size=(K, D)), rng.normal(size=K)
    points, train = rng.normal(size=(N, D)), rng.normal(size=(M, D))
    logits = points @ layer.T + bias
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    trained = (train @ layer.T + bias + rng.gumbel(size=(M, K))).argmax(axis=1)
    return {
        "raw_logits": np.column_stack([logits, labels, index]),
        "raw_logits_dist": logits[:, :, None] + 0.3 * rng.normal(size=(N, K, S)),
        "external_confids": rng.random((N, 1)),
        "external_confids_dist": rng.random((N, S)),
        "encoded_output": np.column_stack([points, index]),
        "train_features": np.column_stack([train, trained]),
        "last_layer": (layer, bias),
    }


def store(folder: Path, given: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, array in given.items():
        several = array if isinstance(array, tuple) else (array,)
        np.savez_compressed(folder / f"{name}.npz", *several)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return store(tmp_path / "test_results", arrays())


def test_every_array_arrives_where_it_belongs(folder: Path, tmp_path: Path) -> None:
    given = arrays()
    found = fd_shifts.read(tmp_path, ("a", "b", "c"), external="confidnet", validation=0)
    assert list(found.tables) == ["dataset-0", "dataset-1", "dataset-2", "train"]
    assert found.notes == ()
    for i in range(3):
        table, rows = found.tables[f"dataset-{i}"], slice(40 * i, 40 * (i + 1))
        assert table.kind == "logits"
        np.testing.assert_array_equal(table.logits, given["raw_logits"][rows, :K])
        np.testing.assert_array_equal(table.labels, given["raw_logits"][rows, K])
        assert table.passes is not None
        np.testing.assert_array_equal(table.passes[4], given["raw_logits_dist"][rows, :, 4])
        np.testing.assert_array_equal(table.embeddings, given["encoded_output"][rows, :D])
        np.testing.assert_array_equal(table.scores["confidnet"], given["external_confids"][rows, 0])
        mean = given["external_confids_dist"][rows].mean(axis=1)
        np.testing.assert_allclose(table.scores["mcd_confidnet"], mean)
        assert table.metadata["dataset"].unique().to_list() == [str(i)]
        assert table.metadata["split"].unique().to_list() == ["test" if i else "cal"]
        assert table.source["selected_on"] == "cal"
    ids = [name for table in found.tables.values() for name in table.ids]
    assert len(set(ids)) == len(ids) == N + M


def test_the_tables_are_audited_with_every_score(folder: Path, tmp_path: Path) -> None:
    paths = fd_shifts.write(fd_shifts.read(folder, external="confidnet"), tmp_path / "out")
    assert [path.name for path in paths][-1] == "train.parquet"
    assert tables.read(paths[1]).classes == ("0", "1", "2")
    found = primum.audit(paths[1], fit=paths[0], train=paths[3], bootstrap=100)
    valued = {one.score for one in found.findings if one.code == "aurc" and one.value is not None}
    assert {"energy", "vim", "mahalanobis", "knn", "mcd_waic", "confidnet", "mcd_confidnet"} <= valued
    assert found.finding("aurc", score="dg").verdict == "not_applicable"


def test_softmax_is_known_by_the_name_of_its_file(tmp_path: Path) -> None:
    given = arrays()
    probs = softmax(given["raw_logits"][:, :K], axis=1)
    passes = softmax(given["raw_logits_dist"], axis=1)
    place = store(
        tmp_path / "run",
        {"raw_output": np.column_stack([probs, given["raw_logits"][:, K:]]), "raw_output_dist": passes},
    )
    table = fd_shifts.read(place).tables["dataset-1"]
    assert table.kind == "log_probabilities"
    np.testing.assert_allclose(table.probs, probs[40:80])
    assert table.passes is not None
    np.testing.assert_allclose(softmax(table.passes, axis=2), passes[40:80].transpose(2, 0, 1))


def test_labels_of_no_class_are_unknown_and_counted(tmp_path: Path) -> None:
    raw = arrays()["raw_logits"]
    raw[80:, K] = 7
    found = fd_shifts.read(store(tmp_path / "run", {"raw_logits": raw}))
    assert (found.tables["dataset-2"].labels == -1).all()
    assert found.notes == (
        "40 labels lie outside the 3 classes: these rows have no label here and are not judged",
    )


def test_training_rows_without_a_layer_are_left_out_and_said(tmp_path: Path) -> None:
    given = arrays()
    kept = {name: given[name] for name in ("raw_logits", "train_features")}
    found = fd_shifts.read(store(tmp_path / "run", kept))
    assert "train" not in found.tables
    assert "last_layer.npz" in found.notes[0]


def changed(name: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    given = arrays()
    return given | {name: change(given[name])}


def fraction(raw: np.ndarray) -> np.ndarray:
    raw[4, K] = 1.5
    return raw


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            lambda: {"encoded_output": arrays()["encoded_output"]},
            ("raw_logits.npz or raw_output.npz", "folder holds"),
        ),
        (
            lambda: changed("external_confids", lambda a: a[:100]),
            ("same number of rows", "external_confids.npz 100"),
        ),
        (lambda: changed("raw_logits_dist", lambda a: a[:, :2]), ("120 × 2 × 6", "3 classes")),
        (lambda: changed("raw_logits", lambda a: a[:, :3]), ("120 × 3",)),
        (lambda: changed("raw_logits", fraction), ("the label must be a whole number", "row 5")),
        (lambda: changed("encoded_output", lambda a: a[:, :-1]), ("index of the data set",)),
        (lambda: changed("last_layer", lambda a: a[:1]), ("arr_1",)),
        (lambda: changed("last_layer", lambda a: (a[0][:, 1:], a[1])), ("rows of 7 numbers", "100 × 9")),
        (lambda: changed("external_confids_dist", lambda a: a[:, 0]), ("cases × passes",)),
        (lambda: changed("external_confids", lambda a: np.array(["x"] * N)), ("its values must be numbers",)),
        (
            lambda: changed("raw_logits", lambda a: np.c_[softmax(a[:, :K], axis=1), a[:, K:]]),
            ("every row sums to 1", "raw_output.npz"),
        ),
        (lambda: arrays() | {"raw_output": arrays()["raw_logits"]}, ("they differ",)),
        (lambda: {"raw_output": arrays()["raw_logits"]}, ("probabilities must lie in [0, 1]",)),
    ],
)
def test_what_does_not_fit_is_refused(
    given: Callable[[], Any], says: tuple[str, ...], tmp_path: Path, refused
) -> None:
    place = store(tmp_path / "run", given())
    refused(lambda: fd_shifts.read(place), *says)


def test_wrong_words_are_refused(folder: Path, tmp_path: Path, refused) -> None:
    refused(lambda: fd_shifts.read(tmp_path / "nowhere"), "a result folder was expected")
    refused(lambda: fd_shifts.read(folder, ("a", "b")), "3 names were expected", "2 arrived")
    refused(lambda: fd_shifts.read(folder, validation=9), "0, 1, 2", "9 arrived")


def test_pickles_and_torn_files_are_refused(folder: Path, refused) -> None:
    np.savez(folder / "external_confids.npz", np.array([object()] * N, dtype=object))
    refused(lambda: fd_shifts.read(folder), "external_confids.npz: numbers and text were expected, objects")
    (folder / "external_confids.npz").write_bytes(b"PK no archive")
    refused(lambda: fd_shifts.read(folder), "external_confids.npz: this is not a readable NPZ file")
    np.save(folder / "external_confids.npy", np.ones(N))
    (folder / "external_confids.npy").rename(folder / "external_confids.npz")
    refused(lambda: fd_shifts.read(folder), "external_confids.npz: this is not a readable NPZ file")


def test_the_command_writes_and_says_what(folder: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    import sys

    from primum.cli import main

    out = tmp_path / "out"
    arguments = ["primum", "import", "fd-shifts", str(folder), "--classes", "x, y, z", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as done:
        main()
    assert not done.value.code
    assert sorted(path.name for path in out.iterdir()) == [
        "dataset-0.parquet", "dataset-1.parquet", "dataset-2.parquet", "train.parquet",
    ]  # fmt: skip
    assert tables.read(out / "dataset-2.parquet").classes == ("x", "y", "z")
    assert "external" in capsys.readouterr().out


def test_a_layer_as_the_tool_itself_stores_it(folder: Path) -> None:
    expected = fd_shifts.read(folder).tables["train"]
    layer, bias = arrays()["last_layer"]
    np.savez_compressed(folder / "last_layer.npz", w=layer, b=bias)
    found = fd_shifts.read(folder).tables["train"]
    np.testing.assert_array_equal(found.logits, expected.logits)
