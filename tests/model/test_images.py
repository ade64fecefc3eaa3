import dataclasses
import json

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from primum import tables
from primum.cli import app
from primum.core.check import InputError
from primum.data import sets
from primum.data.images import CorruptImageError
from primum.model import backbone, features, stages
from primum.model.images import Images, Transform, augment, unreadable
from primum.model.predict import predict
from primum.model.recipe import Recipe
from primum.model.train import train

HALF = (0.5, 0.5, 0.5)


def test_a_squashed_image_loses_detail_but_no_edge():
    wide = np.zeros((60, 120, 3), dtype=np.uint8)
    wide[:, :3], wide[:, -3:] = 255, 255  # bright edges: a crop would lose them
    wide[:, 40:80:2] = 255
    fine = Transform(96, HALF, HALF).pixels(Image.fromarray(wide)).astype(float)
    soft = Transform(96, HALF, HALF, squash=24).pixels(Image.fromarray(wide)).astype(float)
    assert fine.shape == soft.shape == (96, 96, 3)
    assert soft[:, 0].mean() > 150
    assert soft[:, -1].mean() > 150
    assert (
        np.abs(np.diff(soft[:, 36:60], axis=1)).mean() < 0.5 * np.abs(np.diff(fine[:, 36:60], axis=1)).mean()
    )


def test_channels_are_resized_each_for_itself():
    rng = np.random.default_rng(0)
    planes = [Image.fromarray(rng.integers(0, 256, (40, 50), dtype=np.uint8)) for _ in range(4)]
    transform = Transform(16, (0.5,) * 4, (0.25,) * 4, squash=24)
    found = transform.pixels(*planes)
    assert found.shape == (16, 16, 4)
    grey = Transform(16, HALF, HALF, squash=24)
    for channel, plane in enumerate(planes):
        np.testing.assert_array_equal(found[..., channel], grey.pixels(plane.convert("RGB"))[..., 0])


def several(table, channels):
    """The made images with their first channel again and again, each darker than the one before."""
    stack = [table.pixels[..., 0] // (channel + 1) for channel in range(channels)]
    return dataclasses.replace(table, pixels=np.stack(stack, axis=-1))


def test_images_of_many_channels_give_features(table, tmp_path):
    many = several(table, 5)
    network = backbone.build("mobilenetv3_small_050", table.classes, image_size=32, channels=5)
    images = Images(many, network.card.transform)
    assert images.batch(np.array([3, 1])).shape == (2, 5, 32, 32)
    found = features.cached(network, images, tmp_path)
    assert found.shape == (80, network.width + sum(stages.widths(network.stages)))
    other = many.pixels.copy()
    other[..., 4] = 0
    changed = Images(dataclasses.replace(many, pixels=other), network.card.transform)
    assert not np.allclose(features.cached(network, changed, tmp_path), found)


def test_images_of_another_number_of_channels_are_refused(table):
    transform = Transform(32, HALF, HALF)
    with pytest.raises(InputError, match="3 channels were expected by the network, images of 4 arrived"):
        Images(several(table, 4), transform)
    assert len(Images(several(table, 4).take(np.array([], dtype=np.int64)), transform)) == 0


def test_augmentation_takes_any_number_of_channels():
    images = torch.randint(0, 256, (4, 5, 16, 16), dtype=torch.uint8)
    images[:, 4] = images[:, 0]
    changed = augment(images)
    assert changed.shape == (4, 5, 16, 16)
    torch.testing.assert_close(changed[:, 4], changed[:, 0])  # all channels turn and fade together


def test_batches_come_in_order_and_whole(folder_table, table):
    transform = Transform(32, HALF, HALF)
    rows = np.array([5, 3, 70, 71, 0, 11, 2])
    read = torch.cat(list(Images(folder_table, transform).batches(rows, 3)))
    held = Images(table, transform).batch(rows)
    assert torch.equal(read, held)
    np.testing.assert_array_equal(held.permute(0, 2, 3, 1).numpy(), table.pixels[rows])
    assert list(Images(table, transform).batches(rows[:0], 3)) == []


def test_a_corrupt_image_is_named(folder_table):
    (folder_table.root / "c012.png").write_bytes(b"not a picture")
    assert list(unreadable(folder_table)) == [12]
    assert "c012.png" in unreadable(folder_table)[12]
    with pytest.raises(CorruptImageError, match=r"c012\.png"):
        list(Images(folder_table, Transform(32, HALF, HALF)).batches(np.arange(80), 16))


def test_augmentation_is_mild_seeded_and_each_image_its_own():
    grey = torch.linspace(0, 255, 32).repeat(32, 1).to(torch.uint8)[None, None].repeat(64, 3, 1, 1)
    grey[..., :8, :] = 0  # the upper end stays up
    torch.manual_seed(0)
    first, then = augment(grey), augment(grey)
    torch.manual_seed(0)
    assert torch.equal(augment(grey), first)
    assert not torch.equal(first, then)
    assert first.shape == (64, 3, 32, 32)
    assert first.min() >= 0
    assert first.max() <= 1
    assert (first.mean(dim=(1, 2, 3)) / (grey.float().mean() / 255) - 1).abs().max() < 0.3
    rising = first[:, 0, 20, 28] > first[:, 0, 20, 4]
    assert 10 < rising.sum() < 54  # about half are mirrored
    assert (first[:, 0, 2, 8:24].mean(dim=1) < first[:, 0, 28, 8:24].mean(dim=1)).all()
    assert len(torch.unique(first[:, 0, 16, 16])) > 50


def test_features_are_computed_once_and_kept(table, tmp_path, monkeypatch):
    network = backbone.build("mobilenetv3_small_050", table.classes, image_size=32)
    images = Images(table, network.card.transform)
    monkeypatch.setattr(features, "CHUNK", 30)
    first = features.cached(network, images, tmp_path)
    assert isinstance(first, np.memmap)
    assert first.shape == (80, network.width + sum(stages.widths(network.stages)))
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]
    np.testing.assert_allclose(first, features.embed(network, images, np.arange(80)), atol=1e-5)

    monkeypatch.setattr(features, "embed", lambda *args, **kwargs: pytest.fail("computed again"))
    np.testing.assert_array_equal(features.cached(network, images, tmp_path), first)
    cases = table.cases.with_columns(split=pl.lit("test"))
    moved = Images(dataclasses.replace(table, cases=cases), network.card.transform)
    np.testing.assert_array_equal(features.cached(network, moved, tmp_path), first)
    other = backbone.build("mobilenetv3_small_050", table.classes, image_size=32)  # other random weights
    with pytest.raises(pytest.fail.Exception):
        features.cached(other, images, tmp_path)


def test_an_interruption_costs_one_chunk(table, tmp_path, monkeypatch):
    network = backbone.build("mobilenetv3_small_050", table.classes, image_size=32)
    images = Images(table, network.card.transform)
    whole = features.cached(network, images, tmp_path / "whole")
    monkeypatch.setattr(features, "CHUNK", 32)
    embed, asked = features.embed, []

    def once(network, images, rows, **rest):
        asked.append(int(rows[0]))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return embed(network, images, rows, **rest)

    monkeypatch.setattr(features, "embed", once)
    with pytest.raises(KeyboardInterrupt):
        features.cached(network, images, tmp_path / "cut")
    assert not list((tmp_path / "cut").glob("*.npy"))
    found = features.cached(network, images, tmp_path / "cut")
    assert asked == [0, 32, 32, 64]
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_precision_is_decided_by_the_hardware(monkeypatch):
    cpu = torch.device("cpu")
    assert features.resolve("32-true", cpu) == "32-true"
    for native, expected in ((True, "bf16-mixed"), (False, "32-true")):
        for ask in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, ask, lambda native=native: native, raising=False)
        assert features.resolve("auto", cpu) == expected


def sharpness(images):
    """Mean squared Laplacian of an image over its variance, which light and contrast change as much."""
    middle = images[..., 1:-1, 1:-1]
    sides = images[..., :-2, 1:-1] + images[..., 2:, 1:-1] + images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    fine = ((4 * middle - sides) ** 2).mean(dim=(1, 2, 3))
    return float((fine / images.var(dim=(1, 2, 3))).mean())


def test_training_images_are_as_sharp_as_those_that_are_answered():
    torch.manual_seed(0)
    images = torch.rand(64, 3, 48, 48) * 0.5 + 0.25  # so that brighter ones are not cut
    assert sharpness(augment(images)) == pytest.approx(sharpness(images), rel=0.02)


@pytest.fixture
def grey(tmp_path):
    """A manifest of 24 images of 12 bits in 16, those of class b brighter by 2500, and a recipe for them."""
    rng = np.random.default_rng(0)
    rows = []
    for at in range(24):
        values = rng.integers(0, 1500, (16, 16)) + (at % 2) * 2500
        Image.fromarray(values.astype(np.uint16)).save(tmp_path / f"{at:02d}.png")
        split = ("train", "train", "train", "val", "cal", "test")[at // 2 % 6]
        rows.append({"path": f"{at:02d}.png", "label": "ab"[at % 2], "split": split})
    pl.DataFrame(rows).write_csv(tmp_path / "images.csv")
    return Recipe.model_validate(
        {
            "name": "grey",
            "data": {"name": "manifest", "root": str(tmp_path / "images.csv")},
            "network": {"name": "test_resnet", "weights": "none", "trunk": "trained", "image_size": 32},
            "loss": {"name": "cross_entropy"},
            "training": {"epochs": 1, "batch_size": 4},
        }
    )


def test_the_range_of_the_training_images_is_recorded_and_used_again(grey, tmp_path, capsys):
    run = train(grey, tmp_path / "run")
    assert "no stated range: 24 images" in " ".join(capsys.readouterr().err.split())
    content = json.loads((run / "network.json").read_text())["transform"]
    [(low, high)] = content["ranges"]
    assert backbone.load(run).card.transform.ranges == ((low, high),)
    assert low >= 0
    assert 3500 < high <= 3999
    whole = sets.load("manifest", tmp_path / "images.csv")
    seen = Images(whole, backbone.load(run).card.transform).batch(np.arange(24)).float()
    assert seen[1::2].mean() - seen[::2].mean() > 120  # 2500 of 4000; as 16 bits they would be 10 apart
    test = whole.split("test")
    again = predict(run, test, progress=False)
    assert not again.notes
    np.testing.assert_allclose(
        again.logits, tables.read(run / "predictions" / "test.parquet").logits, atol=1e-5
    )
    Image.fromarray(np.full((16, 16), 60_000, dtype=np.uint16)).save(tmp_path / "10.png")
    answered = predict(run, sets.load("manifest", tmp_path / "images.csv").split("test"), progress=False)
    assert "1 of 4 images has grey values beyond the range" in answered.notes[-1]


@pytest.mark.parametrize("trunk", ["frozen", "trained"])
def test_a_run_says_which_of_its_own_images_are_beyond_its_range(grey, trunk, tmp_path):
    Image.fromarray(np.full((16, 16), 60_000, dtype=np.uint16)).save(tmp_path / "10.png")  # of test
    network = grey.network.model_copy(update={"trunk": trunk})
    run = train(grey.model_copy(update={"network": network}), tmp_path / "run", progress=False)
    notes = {name: tables.read(run / "predictions" / f"{name}.parquet").notes for name in ("test", "cal")}
    assert "1 of 4 images has grey values beyond the range" in notes["test"][0]
    assert notes["cal"] == ()


def test_a_network_without_a_recorded_range_is_given_the_whole_range_of_the_type(grey, tmp_path):
    whole = sets.load("manifest", tmp_path / "images.csv")
    network = backbone.build("test_resnet", whole.classes, image_size=32)
    assert "ranges" not in network.card.to_dict()["transform"]  # stored features keep their names
    assert backbone.Card.from_dict(network.card.to_dict(), "x").transform == network.card.transform
    answered = predict(network, whole, progress=False)
    assert "24 of 24 images have more than 8 bits and no stated range" in answered.notes[0]
    seen = Images(whole, Transform(16, HALF, HALF)).batch(np.array([1]))
    stored = np.asarray(Image.open(tmp_path / "01.png")).astype(float)
    np.testing.assert_array_equal(seen[0, 0].numpy(), (stored / 65535 * 255).astype(np.uint8))


def test_corrupted_images_are_written_in_the_range_of_the_training_images(grey, tmp_path):
    Image.fromarray(np.full((16, 16), 60_000, dtype=np.uint16)).save(tmp_path / "10.png")  # of test
    out = tmp_path / "out"
    command = [
        "data",
        "corrupt",
        "manifest",
        "--root",
        str(tmp_path / "images.csv"),
        "--corrupt",
        "contrast:1",
    ]
    found = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert found.exit_code == 0, found.output
    [(_, high)] = json.loads((out / "corruption.json").read_text())["ranges"]
    assert high < 4000
    means = [np.asarray(Image.open(out / "images" / f"{row}.png")).mean() for row in range(4)]
    assert means[3] - means[2] > 80  # in the range of the test images they would be 10 apart
