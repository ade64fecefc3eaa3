"""MedMNIST from a small made file of the released layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from primum.data.sets import LOADERS, load
from primum.data.sets.medmnist import SETS, SIZES

INFO = pytest.importorskip("medmnist", reason="class names come from the package medmnist").INFO
Refused = Callable[..., None]


def made(flag: str, size: int, **changed: Any) -> dict[str, Any]:
    """Arrays as released, 40, 10 and 20 images; colour where the set has it."""
    rng = np.random.default_rng(0)
    k, colour = len(INFO[flag]["label"]), INFO[flag]["n_channels"] == 3
    arrays = {}
    for split, n in (("train", 40), ("val", 10), ("test", 20)):
        shape = (n, size, size, 3) if colour else (n, size, size)
        arrays[f"{split}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(n) % k).astype(np.uint8)[:, None]
    return arrays | changed


@pytest.mark.parametrize(("flag", "size"), [("pathmnist", 28), ("bloodmnist", 64), ("breastmnist", 28)])
def test_splits_stay_and_cal_is_cut_from_train(tmp_path: Path, flag: str, size: int) -> None:
    stem = flag if size == 28 else f"{flag}_{size}"
    arrays = made(flag, size)
    np.savez(tmp_path / f"{stem}.npz", **arrays)
    table = load(f"medmnist_{stem}", tmp_path)
    assert table.name == f"medmnist_{stem}"
    assert table.classes == tuple(INFO[flag]["label"].values())
    assert (len(table.split("val")), len(table.split("test"))) == (10, 20)
    found = np.bincount(table.split("cal").label_index, minlength=len(table.classes))
    np.testing.assert_array_equal(found, np.bincount(arrays["train_labels"].ravel()) // 5)
    assert len(table.split("train")) + len(table.split("cal")) == 40
    test = table.split("test")
    np.testing.assert_array_equal(test.label_index, arrays["test_labels"].ravel())
    shown = np.asarray(test.image(3))
    wanted = arrays["test_images"][3]
    np.testing.assert_array_equal(shown, wanted if wanted.ndim == 3 else np.stack([wanted] * 3, axis=-1))


def test_another_seed_cuts_another_cal(tmp_path: Path) -> None:
    np.savez(tmp_path / "breastmnist.npz", **made("breastmnist", 28))
    first, same, other = (
        load("medmnist_breastmnist", tmp_path, seed).split("cal").cases["id"].to_list() for seed in (0, 0, 1)
    )
    assert first == same
    assert first != other


def test_a_folder_of_the_name_medmnist_is_found(tmp_path: Path) -> None:
    (tmp_path / "medmnist").mkdir()
    np.savez(tmp_path / "medmnist" / "octmnist.npz", **made("octmnist", 28))
    assert len(load("medmnist_octmnist", tmp_path)) == 70


def test_every_set_with_one_label_per_plane_image_is_offered() -> None:
    plane = {
        flag for flag, info in INFO.items() if "3d" not in flag and not info["task"].startswith("multi-label")
    }
    assert set(SETS) == plane
    assert {name for name in LOADERS if name.startswith("medmnist_")} == {
        f"medmnist_{flag}" + ("" if size == 28 else f"_{size}") for flag in SETS for size in SIZES
    }


def test_other_sets_are_refused(tmp_path: Path, refused: Refused) -> None:
    refused(lambda: load("medmnist_chestmnist", tmp_path), "ChestMNIST has several")
    refused(lambda: load("medmnist_chestmnist_64", tmp_path), "ChestMNIST has several")
    refused(lambda: load("medmnist_organmnist3d", tmp_path), "a set of volumes")
    refused(lambda: load("medmnist_pathmist", tmp_path), "did you mean 'medmnist_pathmnist'?")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"val_images": np.zeros((10, 64, 64, 3), np.uint8)}, "10 images of 28 × 28 pixels"),
        ({"val_images": np.zeros((10, 28, 28, 3))}, "of float64 arrived"),
        ({"test_labels": np.full((20, 1), 9, np.uint8)}, "one class index below 9"),
        ({"test_labels": np.full((20, 1), -1)}, "one class index below 9"),
        ({"test_labels": np.zeros((20, 14), np.uint8)}, "one class index below 9"),
        ({"test_labels": np.array([None] * 20)}, "numbers and text were expected, objects arrived"),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, refused: Refused, changed: dict[str, Any], says: str
) -> None:
    np.savez(tmp_path / "pathmnist.npz", **made("pathmnist", 28, **changed))
    refused(lambda: load("medmnist_pathmnist", tmp_path), "pathmnist.npz", says)


def test_missing_and_damaged_files_are_refused(tmp_path: Path, refused: Refused) -> None:
    refused(lambda: load("medmnist_pathmnist_64", tmp_path), "pathmnist_64.npz was expected")
    (tmp_path / "pathmnist.npz").write_bytes(b"PK no archive")
    refused(lambda: load("medmnist_pathmnist", tmp_path), "not a readable NPZ file")
    np.savez(tmp_path / "pathmnist.npz", train_images=np.zeros(3))
    refused(lambda: load("medmnist_pathmnist", tmp_path), "does not hold them or is damaged")
