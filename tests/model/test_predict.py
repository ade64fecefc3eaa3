import dataclasses
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from primum import cli, tables
from primum.core.check import InputError
from primum.judge.confidence import uncertainty
from primum.model import backbone
from primum.model.predict import predict
from tests.model.made import recipe


@pytest.fixture
def network(table):
    return backbone.build("mobilenetv3_small_050", table.classes, image_size=32)


def test_labels_follow_the_classes_of_the_network(table, network):
    turned = dataclasses.replace(table, classes=tuple(reversed(table.classes)))
    straight, found = predict(network, table, progress=False), predict(network, turned, progress=False)
    assert found.classes == table.classes
    np.testing.assert_array_equal(found.labels, straight.labels)
    np.testing.assert_allclose(found.logits, straight.logits, atol=1e-6)


def test_unknown_labels_stay_unknown(table, network):
    cases = table.cases.with_columns(
        pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise(pl.col("label")).alias("label")
    )
    found = predict(network, dataclasses.replace(table, cases=cases), progress=False)
    assert found.labels[:3].tolist() == [-1, -1, -1]
    assert (found.labels[3:] >= 0).all()


def test_an_answer_is_that_of_eval_mode_and_does_not_depend_on_its_neighbours(table, network):
    network.train()
    found = predict(network, table, progress=False)
    alone = predict(network, table.take(np.array([7])), progress=False)
    np.testing.assert_allclose(alone.logits[0], found.logits[7], atol=1e-5)
    assert network.training


def test_metadata_is_everything_but_id_and_label(table, network):
    found = predict(network, table, embeddings=False, progress=False)
    assert found.metadata.columns == ["patient", "site", "split", "path"]
    assert found.embeddings is None
    assert found.stages is None
    assert found.kind == "logits"


@pytest.mark.parametrize("asked", [{"passes": 3}, {"tta": True}, {"passes": 2, "tta": True}])
def test_stages_are_those_of_each_image_as_it_is(table, network, asked):
    plain, many = (predict(network, table, progress=False, **options) for options in ({}, asked))
    for one, other in zip(plain.stages, many.stages, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
    corrupted = predict(network, table, progress=False, corruption=("gaussian_noise", 3))
    assert not np.allclose(corrupted.stages[0], plain.stages[0], atol=1e-4)


def test_the_verb_writes_stages_beside_embeddings_and_says_how_large_they_are(
    run_folder, table, monkeypatch, capsys
):
    code, out, _ = primum_predict(monkeypatch, capsys, "--embeddings")
    assert code == 0
    stored, straight = tables.read("p.parquet"), predict("run", table.split("test"), progress=False)
    np.testing.assert_allclose(np.hstack(stored.stages), np.hstack(straight.stages), atol=1e-6)
    numbers = stored.embeddings.shape[1] + sum(stage.shape[1] for stage in stored.stages)
    assert f"{4 * numbers:,} bytes of embeddings and stages an image" in out
    code, out, _ = primum_predict(monkeypatch, capsys)
    assert code == 0
    assert "bytes" not in out
    assert tables.read("p.parquet").stages is None


def test_other_classes_are_refused(table):
    network = backbone.build("mobilenetv3_small_050", ("cat", "dog"), image_size=32)
    with pytest.raises(InputError, match="class names must match"):
        predict(network, table, progress=False)


@pytest.fixture
def run_folder(tmp_path, table, serve, monkeypatch):
    """A finished run of an untrained network, and a caller of ``primum predict`` in its folder."""
    torch.manual_seed(0)

    def write(**network):
        asked = backbone.build("mobilenetv3_small_050", table.classes, image_size=32, **network)
        backbone.save(asked, tmp_path / "run")
        (tmp_path / "run" / "recipe.yaml").write_text(recipe().to_yaml())

    serve(table)
    monkeypatch.chdir(tmp_path)
    write()
    return write


def primum_predict(monkeypatch, capsys, *arguments):
    said = ["primum", "predict", "run", "--data", "made", "--out", "p.parquet", *arguments]
    monkeypatch.setattr(sys, "argv", said)
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_verb_writes_scores_of_passes_as_columns(run_folder, table, monkeypatch, capsys):
    code, out, _ = primum_predict(monkeypatch, capsys, "--passes", "3", "--tta", "--seed", "5")
    assert code == 0
    assert "a weak form of MC dropout" in out
    found = tables.read("p.parquet")
    assert len(found) == (table.cases["split"] == "test").sum()
    assert found.kind == "log_probabilities"
    assert found.source["mc_dropout"]["seed"] == 5
    assert set(found.scores) == {f"{way}_{name}" for way in ("mcd", "tta") for name in uncertainty.NAMES}
    assert found.passes is None
    frame = pl.read_parquet("p.parquet")
    assert (frame["score_mcd_mi"] <= 0).all()

    code, out, _ = primum_predict(monkeypatch, capsys)
    assert code == 0
    assert "weak" not in out
    assert tables.read("p.parquet").kind == "logits"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--passes", "1"], "passes: at least 2 are needed"),
        (["--passes", "-3"], "--passes: a whole number from 0 to 10000 was expected, -3 arrived"),
        (["--passes", "3", "--seed", "-1"], "from 0 to 4294967295 was expected, -1 arrived"),
        (["--passes", "3"], "this network has none"),
    ],
)
def test_the_verb_refuses_in_one_sentence(run_folder, monkeypatch, capsys, arguments, says):
    run_folder(dropout=0.0)
    code, _, error = primum_predict(monkeypatch, capsys, *arguments)
    assert code == 2
    assert says in error
    assert len(error.strip().splitlines()) == 1
    assert not Path("p.parquet").exists()
