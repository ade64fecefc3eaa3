"""The whole: maps, stability and what is left on disk."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from primum import tables
from primum.core.check import InputError
from primum.judge.explanation import similarity
from primum.model import backbone
from primum.model.explain import run as explaining
from primum.model.explain import stored
from primum.model.explain.changes import CHANGES
from primum.model.explain.run import explain


@pytest.fixture
def network(table):
    torch.manual_seed(0)
    made = backbone.build("mobilenetv3_small_050", table.classes, image_size=64)
    torch.nn.init.normal_(made.head.weight, std=0.5)
    return made


@pytest.fixture
def masked(folder_table):
    """The images with a lesion mask each but the last."""
    paths = []
    for at, path in enumerate(folder_table.cases["path"]):
        mask = np.zeros((32, 32), dtype=np.uint8)
        mask[8:24, 8 : 16 + at % 8] = 255
        Image.fromarray(mask).save(folder_table.root / f"mask-{path}")
        paths.append(f"mask-{path}")
    cases = folder_table.cases.with_columns(pl.Series("mask", [*paths[:-1], None]))
    return dataclasses.replace(folder_table, cases=cases).take(np.arange(len(cases) - 12, len(cases)))


def test_an_explained_table_can_be_audited_and_maps_lie_beside_it(network, masked, tmp_path):
    out = tmp_path / "o" / "test.parquet"
    found = explain(network, masked, out, progress=False)
    read = tables.read(out)
    assert set(read.scores) == {f"stability_{name}" for name in similarity.MEASURES}
    for name, score in read.scores.items():
        np.testing.assert_array_equal(score, found.scores[name])
    ids, maps = stored.read_maps(out)
    assert ids.to_list() == masked.cases["id"].to_list()
    assert (maps.shape, maps.dtype) == ((12, 64, 64), np.float16)
    assert isinstance(maps, np.memmap)
    beside = tmp_path / "o" / "test.maps"
    assert sorted(path.name for path in beside.iterdir()) == [
        "changes.parquet", "explanation.json", "index.parquet", "maps.npy", "pictures",
    ]  # fmt: skip
    listed = pl.read_parquet(beside / "changes.parquet")
    assert listed.height == 12 * len(CHANGES)
    mean = listed.group_by("id", maintain_order=True).agg(pl.col("spearman").mean())
    known = mean["spearman"].is_not_null().to_numpy()
    np.testing.assert_allclose(
        found.scores["stability_spearman"][known], mean["spearman"].drop_nulls().to_numpy()
    )
    kept = listed.group_by("id", maintain_order=True).agg(pl.col("answer_kept").mean())
    np.testing.assert_allclose(read.metadata["answer_kept"], kept["answer_kept"])
    told = json.loads((beside / "explanation.json").read_text())
    assert told == read.source["explanation"]
    assert told["grid"] == [2, 2]
    assert [one["name"] for one in told["changes"]] == [change.name for change in CHANGES]
    with Image.open(out.parent / read.metadata["map_path"][3]) as picture:
        assert picture.size == (512, 256)


def test_energy_is_told_where_there_is_a_mask(network, masked, tmp_path):
    found = explain(network, masked, tmp_path / "t.parquet", progress=False)
    _, maps = stored.read_maps(tmp_path / "t.parquet")
    shown = similarity.varied(maps)
    row = int(np.flatnonzero(shown)[0])
    mask = np.asarray(masked.mask(row).resize((64, 64), Image.Resampling.BILINEAR)) / 255
    heat = maps[row].astype(np.float64)
    assert found.metadata["lesion_energy"][row] == pytest.approx((heat * mask).sum() / heat.sum(), abs=2e-3)
    assert found.metadata["lesion_area"][row] == pytest.approx(mask.mean(), abs=1e-6)
    ratio = found.metadata["lesion_energy"] / found.metadata["lesion_area"]
    np.testing.assert_allclose(found.metadata["lesion_focus"].drop_nulls(), ratio.drop_nulls())
    assert found.metadata["lesion_energy"][11] is None
    assert found.source["explanation"]["lesion"]["n"] <= 11


def test_without_masks_nothing_is_said_of_lesions(network, table, tmp_path):
    found = explain(network, table.split("test"), tmp_path / "t.parquet", progress=False)
    assert not [name for name in found.metadata.columns if name.startswith("lesion")]
    assert found.source["explanation"]["lesion"] is None


def test_an_interrupted_run_goes_on_and_gives_the_same(network, table, tmp_path, monkeypatch):
    monkeypatch.setattr(explaining, "CHUNK", 5)
    part = table.take(np.arange(13))
    whole = explain(network, part, tmp_path / "a.parquet", progress=False)
    asked: list[int] = []
    chunk = explaining.Explaining.chunk

    def stopping(self, rows):
        asked.append(int(rows[0]))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return chunk(self, rows)

    monkeypatch.setattr(explaining.Explaining, "chunk", stopping)
    with pytest.raises(KeyboardInterrupt):
        explain(network, part, tmp_path / "b.parquet", progress=False)
    assert not (tmp_path / "b.parquet").exists()
    again = explain(network, part, tmp_path / "b.parquet", progress=False)
    assert asked == [0, 5, 5, 10]
    for name, score in whole.scores.items():
        np.testing.assert_array_equal(again.scores[name], score)
    assert not (tmp_path / "b.maps" / "parts").exists()


def test_failures_alone(network, table, tmp_path):
    part = table.take(np.arange(18))
    found = explain(network, part, tmp_path / "f.parquet", only="failures", progress=False)
    assert 0 < len(found) < len(part)
    assert not found.correct.any()


def test_an_answer_without_evidence_has_the_lowest_score_and_is_marked(network, table, tmp_path, monkeypatch):
    real = explaining.maps.looking

    from contextlib import contextmanager

    @contextmanager
    def blind(*given):
        with real(*given) as look:
            yield lambda images, targets: (torch.zeros(len(images), 64, 64), look(images, targets)[1])

    monkeypatch.setattr(explaining.maps, "looking", blind)
    found = explain(network, table.split("test"), tmp_path / "t.parquet", progress=False)
    assert found.metadata["map_blank"].all()
    for name, (_, lowest) in similarity.MEASURES.items():
        assert (found.scores[f"stability_{name}"] == lowest).all()
    told = found.source["explanation"]
    assert told["blank"] == len(found)
    assert told["changes"][0]["measures"]["spearman"] is None
    assert told["untrained"]["closer_than_own"] is None


def test_a_mask_of_another_size_is_refused_with_both_sizes(network, masked, tmp_path, refused):
    Image.fromarray(np.full((16, 20), 255, np.uint8)).save(masked.root / masked.cases["mask"][4])
    refused(
        lambda: explain(network, masked, tmp_path / "t.parquet", progress=False),
        "32×32 pixels of its image", "20×16", masked.cases["mask"][4],
    )  # fmt: skip
    assert not (tmp_path / "t.parquet").exists()


def test_bad_requests_are_refused(network, table, tmp_path, refused):
    out = tmp_path / "t.parquet"
    refused(lambda: explain(network, table, out, method="grad-cam", progress=False), "--method:", "grad_cam")
    refused(lambda: explain(network, table, out, only="failure", progress=False), "--only:", "'failures'")
    own = explain(network, table.split("test"), out, progress=False)
    right = dataclasses.replace(
        table.split("test"),
        cases=table.split("test").cases.with_columns(
            pl.Series("label", [table.classes[at] for at in own.predicted])
        ),
    )
    with pytest.raises(InputError, match="none is wrong"):
        explain(network, right, tmp_path / "u.parquet", only="failures", progress=False)
    with pytest.raises(InputError, match="maps written by primum explain"):
        stored.read_maps(tmp_path / "nothing.parquet")
