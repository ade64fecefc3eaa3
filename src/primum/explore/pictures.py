"""The image of a case as PNG, as the network saw it, and the stored explanation map over it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from primum.core import archives, documents, files, parquet
from primum.core.arrays import Singles
from primum.core.check import InputError
from primum.data.imaging import decode
from primum.data.imaging import encoded as imaging
from primum.data.imaging.ranges import of_channel
from primum.explore.neighbours import TRAIN
from primum.explore.runs import recipe_of
from primum.explore.scene import SEPARATOR, Domain, Scene

if TYPE_CHECKING:
    from PIL.Image import Image

    from primum.data.images import ImageTable
    from primum.model.backbone import Card

LARGEST_CORRUPTED = 512  # pixels of the longer side, where the network's own size is not known
STRONGEST = 0.6  # opacity of the map where it is 1
ORIGINAL = "original_path"  # images with it were corrupted before the model saw them


def png(scene: Scene, key: str, size: int | None = None) -> bytes:
    """PNG of a case at its own size, or at most ``size`` pixels wide and high.

    A case of a corruption is corrupted again: at the network's input size where the run is known, otherwise
    at its own (at most 512 pixels), by its id and the seed 0.

    Args:
        scene: the cases. key: of ``scene.cases``, or of a neighbour.

    Raises:
        InputError: for an unknown key, for an image that is not there or cannot be read, with its path, and
            for a corrupted one without torch.
        MissingExtraError: when a library it needs is not installed.
    """
    return to_png(_image(scene, key), size)


def heat(scene: Scene, key: str, size: int | None = None) -> bytes | None:
    """PNG of a case under its stored explanation map, yellow where it speaks most for the answer.

    None where no map is stored for the case. Raises as :func:`png`.
    """
    domain, row = scene.of(scene.row(key))
    folder = scene.maps.get(domain.name)
    at = None if folder is None else _index(folder).get(domain.predictions.ids[row])
    if folder is None or at is None:
        return None
    maps = archives.array(folder / "maps.npy", "maps written by primum explain")
    if maps.ndim != 3 or not 0 <= at < len(maps):
        raise InputError(f"{folder}: a map of each of its cases was expected in maps.npy; explain again")
    relevance = maps[at]
    return to_png(overlay(shrink(_image(scene, key), size), np.asarray(relevance, dtype=np.float32)))


def overlay(image: Image, relevance: Singles) -> Image:
    """An image under a map (H, H) in 0..1, of the whole frame."""
    from plotly.colors import sample_colorscale

    images = decode.pillow()
    scaled = images.fromarray(relevance).resize(image.size, images.Resampling.BILINEAR)
    values = np.clip(np.asarray(scaled), 0, 1)
    colours = np.array(sample_colorscale("Viridis", [step / 255 for step in range(256)], colortype="tuple"))
    tint = colours[np.rint(values * 255).astype(np.int64)] * 255
    share = np.sqrt(values)[:, :, None] * STRONGEST
    laid: Image = images.fromarray(np.rint(np.asarray(image) * (1 - share) + tint * share).astype(np.uint8))
    return laid


def to_png(image: Image, size: int | None = None) -> bytes:
    """PNG of an image, at most ``size`` pixels wide and high."""
    return imaging.png(shrink(image, size))


def shrink(image: Image, size: int | None) -> Image:
    """The image at most ``size`` pixels wide and high, never enlarged.

    >>> from PIL import Image
    >>> shrink(Image.new("RGB", (400, 200)), 100).size
    (100, 50)
    """
    if size is None or max(image.size) <= size:
        return image
    small = image.copy()
    small.thumbnail((max(size, 1), max(size, 1)))
    return small


def _image(scene: Scene, key: str) -> Image:
    """RGB image of a case, corrupted where its domain is."""
    name, _, case = key.partition(SEPARATOR)
    if name == TRAIN and scene.train is not None and all(entry.name != TRAIN for entry in scene.domains):
        rows = np.flatnonzero((scene.train.ids == case).to_numpy())
        if not len(rows):
            raise InputError(f"{scene.name}: no training row has this key")
        return _original(scene, Domain(TRAIN, scene.train), int(rows[0]))
    domain, row = scene.of(scene.row(key))
    image = _original(scene, domain, row)
    again = domain.level is not None and ORIGINAL not in domain.predictions.metadata.columns
    return _corrupted(scene, domain, row, image) if again and domain.shift is not None else image


def _original(scene: Scene, domain: Domain, row: int) -> Image:
    table = domain.predictions
    path = table.metadata["path"][row] if "path" in table.metadata.columns else None
    if path is None:
        return _generated(scene, table.ids[row])
    if scene.images_root is None:
        raise InputError(f"{path}: the folder of the images is not known; name it with --images")
    root = files.real(scene.images_root)
    try:
        file = files.real(root / path)
    except (OSError, ValueError, RuntimeError):  # a link in a circle is a RuntimeError before Python 3.13
        raise InputError(f"{path!a}: no file can have this path; correct it") from None
    if not file.is_relative_to(root):
        raise InputError(f"{path}: an image inside {root} was expected, this path leads out of it")
    try:
        card = None if scene.run is None else card_of(scene.run)
        ranges = None if card is None else card.transform.ranges
        return decode.load(file).visible(of_channel(ranges, 0))
    except decode.UnreadableError as error:
        raise InputError(f"{path}: a readable image was expected in {scene.images_root}, {error}") from None


def _generated(scene: Scene, case: str) -> Image:
    """An image that is made in memory, from the run's recipe."""
    generated = None if scene.run is None else _generated_table(scene.run)
    at = None if generated is None else generated[1].get(case)
    if generated is None or at is None:
        raise InputError(
            f"{scene.name}: there is no path of this case, so no image to show; add a column path"
        )
    return generated[0].image(at)


@lru_cache(maxsize=4)
def _generated_table(run: Path) -> tuple[ImageTable, dict[str, int]] | None:
    """The images of a run's data set where they have no files, and id → row."""
    from primum.data.sets import load

    recipe = recipe_of(run)
    if recipe is None:
        return None
    table = load(recipe.data.name, recipe.data.root, recipe.data.seed)
    return (
        (table, dict(zip(table.cases["id"], range(len(table)), strict=True)))
        if table.pixels is not None
        else None
    )


def _corrupted(scene: Scene, domain: Domain, row: int, image: Image) -> Image:
    """The image under the corruption of its domain; as it is where the shift is none of our corruptions."""
    try:
        import torch

        from primum.data import corruptions
    except ImportError:
        raise InputError(
            f"{domain.name}: showing a corrupted image needs torch: pip install 'primum[train]'"
        ) from None
    assert domain.shift is not None
    if domain.shift not in corruptions.CORRUPTIONS or domain.level is None:
        return image
    card = None if scene.run is None else card_of(scene.run)
    if card is None:
        pixels = np.array(shrink(image, LARGEST_CORRUPTED), dtype=np.uint8)
    else:
        pixels = np.array(card.transform.pixels(image), dtype=np.uint8)
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    corrupted = corruptions.corrupt(batch, domain.shift, domain.level, [domain.predictions.ids[row]])
    array = corrupted[0].mul(255).round().byte().permute(1, 2, 0).numpy()
    return decode.pillow().fromarray(np.ascontiguousarray(array))  # type: ignore[no-any-return]


@lru_cache(maxsize=16)
def card_of(run: Path) -> Card | None:
    """What ``network.json`` says of the network of a run, None where there is no such file."""
    from primum.model.backbone import Card

    file = run / "network.json"
    if not file.exists():
        return None
    return Card.from_dict(documents.read_json(file, "a trained network"), str(file))


@lru_cache(maxsize=16)
def _index(folder: Path) -> dict[str, int]:
    """Id → row of the stored maps of a folder."""
    listed, _ = parquet.read(folder / "index.parquet", "the ids of the maps")
    if not {"id", "row"} <= set(listed.columns) or not listed["row"].dtype.is_integer():
        raise InputError(f"{folder}: ids and rows of maps were expected in index.parquet; explain again")
    return dict(zip(listed["id"].to_list(), listed["row"].to_list(), strict=True))
