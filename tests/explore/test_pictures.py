"""Pictures of cases: as they lie, as a corruption left them, under their map, or not there."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.explore import pictures
from primum.explore.scene import SEPARATOR, Domain, build_scene
from tests.data.imaging.named import SECRET, named
from tests.explore.conftest import predictions

N = 6


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.fixture
def images(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "images"
    for i in range(N):
        path = folder / "sub" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    return folder


def with_paths(**rest):
    paths = pl.DataFrame({"path": [f"sub/{i}.png" for i in range(N)]})
    return predictions(N, metadata=paths, **rest)


def shown(images, *more, **rest):
    return build_scene("made", [Domain("test", with_paths()), *more], images_root=images, **rest)


def test_an_image_at_its_own_size_and_smaller(images) -> None:
    found = shown(images)
    key = found.cases["key"][2]
    np.testing.assert_array_equal(
        opened(pictures.png(found, key)), np.asarray(Image.open(images / "sub/2.png"))
    )
    assert opened(pictures.png(found, key, 30)).shape == (20, 30, 3)
    assert opened(pictures.png(found, key, 500)).shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_no_name_in_a_file_goes_along(images, kind: str) -> None:
    found = shown(images)
    file = named(images / "sub/2.png", kind)
    assert SECRET.encode() in file.read_bytes()
    for size in (None, 30):
        content = pictures.png(found, found.cases["key"][2], size)
        assert SECRET.encode() not in content
        assert not set(Image.open(io.BytesIO(content)).info) - {"dpi"}


def test_a_training_neighbour_is_shown_by_its_key(images) -> None:
    found = shown(images, train=with_paths())
    key = f"train{SEPARATOR}case-4"
    np.testing.assert_array_equal(
        opened(pictures.png(found, key)), np.asarray(Image.open(images / "sub/4.png"))
    )


def test_an_image_that_has_moved_is_named_by_its_path(images, refused) -> None:
    found = shown(images)
    (images / "sub/3.png").unlink()
    refused(lambda: pictures.png(found, found.cases["key"][3]), "sub/3.png", "no such file")
    (images / "sub/1.png").write_bytes(b"no image")
    refused(lambda: pictures.png(found, found.cases["key"][1]), "sub/1.png", "does not decode")
    assert len(found) == N


def test_a_path_that_is_none_is_refused(images, refused) -> None:
    (images / "ring.png").symlink_to(images / "ring.png")
    os.mkfifo(images / "pipe.png")
    odd = ["ring.png", "a\0b.png", "pipe.png", "sub"]
    found = build_scene(
        "made", [Domain("test", predictions(4, metadata=pl.DataFrame({"path": odd})))], images_root=images
    )
    for key, said in zip(
        found.cases["key"], ("", "no file can", "a pipe or a device", "a folder"), strict=True
    ):
        refused(lambda key=key: pictures.png(found, key), said)


def test_nothing_outside_the_folder_is_read(images, refused, tmp_path) -> None:
    Image.new("RGB", (5, 5)).save(tmp_path / "secret.png")
    out = predictions(2, metadata=pl.DataFrame({"path": ["../secret.png", str(tmp_path / "secret.png")]}))
    found = build_scene("made", [Domain("test", out)], images_root=images)
    for key in found.cases["key"]:
        refused(lambda key=key: pictures.png(found, key), "leads out of it")
    (images / "link.png").symlink_to(tmp_path / "secret.png")
    linked = predictions(1, metadata=pl.DataFrame({"path": ["link.png"]}))
    found = build_scene("made", [Domain("test", linked)], images_root=images)
    refused(lambda: pictures.png(found, found.cases["key"][0]), "leads out of it")


def test_without_paths_or_a_folder_it_is_said(images, made, refused) -> None:
    found = build_scene("made", [Domain("test", made(3))])
    refused(lambda: pictures.png(found, found.cases["key"][0]), "add a column path")
    rootless = build_scene("made", [Domain("test", with_paths())])
    refused(lambda: pictures.png(rootless, rootless.cases["key"][0]), "--images", "sub/0.png")


def test_a_corruption_is_seen_as_the_network_saw_it(images, tmp_path) -> None:
    pytest.importorskip("torch")
    from primum.data.images import ImageTable
    from primum.model.backbone import Card
    from primum.model.images import Images, Transform

    transform = Transform(32, (0.5,) * 3, (0.2,) * 3)
    import json

    run = tmp_path / "run"
    run.mkdir()
    card = Card("resnet10t", ("a", "b"), 0.0, transform)
    (run / "network.json").write_text(json.dumps(card.to_dict()))
    noise = Domain("gaussian_noise 4", with_paths(), "gaussian_noise", 4)
    found = shown(images, noise, run=run)
    cases = with_paths().metadata.with_columns(
        pl.Series("id", [f"case-{i}" for i in range(N)]),
        *(pl.lit(None, pl.String).alias(name) for name in ("label", "patient", "site", "split")),
    )
    table = ImageTable("made", ("a", "b"), cases, images)
    seen = Images(table, transform, ("gaussian_noise", 4)).batch(np.arange(N)).permute(0, 2, 3, 1).numpy()
    for row in range(N):
        np.testing.assert_array_equal(opened(pictures.png(found, found.cases["key"][N + row])), seen[row])
    plain = opened(pictures.png(found, found.cases["key"][0]))
    assert plain.shape == (40, 60, 3)


def test_a_corruption_without_a_run_is_made_at_the_images_own_size(images) -> None:
    pytest.importorskip("torch")
    from primum.data.corruptions import parameter

    dark = Domain("brightness_down 3", with_paths(), "brightness_down", 3)
    found = shown(images, dark)
    plain, darker = (opened(pictures.png(found, found.cases["key"][row])) for row in (0, N))
    assert darker.shape == plain.shape
    np.testing.assert_allclose(
        darker, np.clip(plain / 255 - parameter("brightness_down", 3), 0, 1) * 255, atol=0.6
    )


def test_what_was_corrupted_before_or_by_others_is_left_alone(images) -> None:
    own = with_paths()
    written = predictions(N, metadata=own.metadata.with_columns(original_path=pl.lit("x.png")))
    found = shown(
        images, Domain("jpeg 5", written, "jpeg", 5), Domain("snow 2", own, "snow", 2),
        Domain("site=B", own, "site=B"),
    )  # fmt: skip
    for start in (N, 2 * N, 3 * N):
        np.testing.assert_array_equal(
            opened(pictures.png(found, found.cases["key"][start])),
            opened(pictures.png(found, found.cases["key"][0])),
        )


def test_a_stored_map_lies_over_its_own_image(images, tmp_path) -> None:
    folder = tmp_path / "test.maps"
    folder.mkdir()
    maps = np.zeros((2, 64, 64), np.float16)
    maps[0, :32, :32] = 1  # upper left of the second image
    np.save(folder / "maps.npy", maps)
    pl.DataFrame({"id": ["case-1", "case-5"], "row": [0, 1]}).write_parquet(folder / "index.parquet")
    found = shown(images, maps={"test": folder})
    keys = found.cases["key"]
    plain, laid = opened(pictures.png(found, keys[1])), opened(pictures.heat(found, keys[1]))
    np.testing.assert_array_equal(laid[25:, 35:], plain[25:, 35:])
    yellow = np.array([253, 231, 37])  # the end of viridis
    np.testing.assert_allclose(laid[:15, :25], 0.4 * plain[:15, :25] + 0.6 * yellow, atol=1.5)
    np.testing.assert_array_equal(opened(pictures.heat(found, keys[5])), opened(pictures.png(found, keys[5])))
    assert pictures.heat(found, keys[0]) is None
    assert pictures.heat(shown(images), keys[1]) is None


def test_made_images_come_from_the_recipe(tmp_path, monkeypatch, refused) -> None:
    from primum.data.images import COLUMNS, ImageTable

    pixels = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)
    blank = pl.DataFrame({name: [None] * 9 for name in COLUMNS}, schema=dict.fromkeys(COLUMNS, pl.String))
    cases = blank.with_columns(id=pl.Series([f"made-{i}" for i in range(9)]))
    table = ImageTable("phantom", ("a", "b"), cases, pixels=pixels)
    asked = []
    monkeypatch.setattr("primum.data.sets.load", lambda *given: asked.append(given) or table)
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.yaml").write_text("name: x\ndata: {name: phantom, seed: 4}\nnetwork: {name: resnet10t}\n")
    ids = pl.Series(["made-7", "made-3", "unknown"])
    own = predictions(3, ids=ids, metadata=pl.DataFrame({"path": [None] * 3}, schema={"path": pl.String}))
    found = build_scene("made", [Domain("test", own)], run=run)
    for row, at in ((0, 7), (1, 3)):
        np.testing.assert_array_equal(opened(pictures.png(found, found.cases["key"][row])), pixels[at])
    refused(lambda: pictures.png(found, found.cases["key"][2]), "so no image to show")
    assert asked == [("phantom", None, 4)]  # once
