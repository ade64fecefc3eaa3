"""From a recipe to a run folder: network, predictions on every split, log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from rich.console import Console
from torch import Tensor, nn

from primum import severity, tables
from primum.core import files, locks
from primum.core.arrays import Integers, Singles
from primum.core.check import InputError, shorten
from primum.data import copies, pixels
from primum.data.images import HELD_OUT, SPLITS
from primum.data.leaking import leaking
from primum.model import backbone, features, need
from primum.model.backbone import Card, Network
from primum.model.batches import Inputs, Rows, loader
from primum.model.images import Images
from primum.model.losses.learning import Learning, learning
from primum.model.material import Material, begun, resumed
from primum.model.predict import answers, from_features, origin
from primum.model.recipe import Recipe
from primum.severity import SeverityMatrix

need("lightning", "tensorboard")

from primum.model.fit import Fit, fit  # noqa: E402
from primum.model.regression import regress  # noqa: E402

if TYPE_CHECKING:
    from primum.data.images import ImageTable

PATIENCE = 5.0  # seconds that the worker of a killed bench may need to end


def train(
    recipe: Recipe,
    out: Path | str,
    *,
    resume: bool = False,
    skip_corrupt: bool = False,
    progress: bool = True,
    cache: Path | None = None,
    embeddings: bool = True,
    like: Path | None = None,
) -> Path:
    """Train what the recipe says and leave everything in ``out``.

    Written: ``splits.parquet`` (which image is in which split, :mod:`primum.data.cohort`), ``recipe.yaml`` as
    run, ``log/`` (CSV, TensorBoard), ``predictions/{train,val,cal,test}.parquet``
    (without augmentation), ``network.safetensors`` and, last, ``network.json``, whose
    presence says that the run is finished. The epoch with the best ``training.monitor`` is the one kept.
    What ``data.leave_out`` held out is predicted in ``predictions/shift.parquet``. What ``data.drop_leaks``
    left out is listed in ``dropped.csv``. A ConfidNet that the recipe asks for is
    trained last, on the same rows, and kept in ``confidnet.safetensors``.

    Args:
        recipe: what to train.
        out: folder of the run.
        resume: continue an interrupted run of the same recipe from its last whole epoch, in the splits it
            began with; images that came since are no part of it. A finished one is left as it is.
        skip_corrupt: leave out images that do not decode and list them in ``out/skipped.csv``.
        progress: show bars and one line per stage on standard error.
        cache: folder for the features of a frozen trunk, and for which images are copies of each other;
            ``out/../.features`` unless said otherwise.
        embeddings: store what the last layer and every stage see beside the logits.
        like: folder of another run of the same data, whose splits are taken.

    Returns:
        ``out``.

    Raises:
        InputError: when ``out`` already holds something, the recipe differs from the one resumed, images of
            an interrupted run are missing or changed, or the data lack train or validation rows.
        CorruptImageError: before training, for the first image that does not decode.
    """
    folder, say = Path(out), Console(stderr=True, quiet=not progress).print
    if _finished(recipe, folder, resume):
        return folder
    with torch.random.fork_rng(), ExitStack() as stack:  # the caller's random numbers stay as they were
        torch.manual_seed(recipe.seed)
        if resume:
            used = resumed(recipe, folder, skip_corrupt, progress)
        else:
            used = begun(recipe, folder.name, skip_corrupt, like, progress)
        table, skipped = used.table, used.skipped
        stores = cache or folder.parent / ".features"
        without, dropped = _dropped(recipe, table, stores, progress)
        rows = _rows(table, without)
        costs = None if recipe.loss.severity is None else severity.read(recipe.loss.severity)
        costs = costs and costs.ordered(table.classes, table.name)
        learned = learning(recipe, table, rows, costs)
        network = _network(recipe, table)
        say(f"{table.name}: {len(rows['train'])} train, {len(rows['val'])} val, {len(skipped)} skipped")
        for sentence in _split_notes(used, rows):
            say(sentence)
        if HELD_OUT in rows:
            say(_shift_note(table.take(rows[HELD_OUT])))
        if recipe.data.drop_leaks:
            say(f"{len(dropped)} images are left out, since a copy of them stands in test, val or cal")
        if learned.note:
            say(learned.note)
        if len(learned.observed):
            say(f"{len(learned.observed)} train images are held out, not trained on, to see what is confused")
        grey = pixels.cached(table, stores, bar=progress)
        network.card = _with_ranges(network.card, grey, rows["train"], say)
        images, stored = Images(table, network.card.transform), None
        if recipe.network.trunk == "frozen":
            stored = features.shared(network, images, used.dataset, stores, bar=progress)
        stack.enter_context(locks.alone(folder, PATIENCE))
        if _finished(recipe, folder, resume):  # by another process, meanwhile
            return folder
        _start(recipe, folder, used, dropped)
        epochs = _fit(
            recipe, network, images, stored=stored, learned=learned, val=rows["val"], costs=costs,
            folder=folder, resume=resume, progress=progress,
        )  # fmt: skip
        learned_from = table.take(np.setdiff1d(np.arange(len(table)), without))
        trained_on = {
            "data": table.name,
            "data_fingerprint": learned_from.fingerprint(),
            "held_out": len(learned.observed),
        }
        facts = {"epochs": epochs, "trained_on": trained_on}
        if recipe.data.leave_out:
            trained_on["left_out"] = recipe.data.leave_out
        if recipe.data.drop_leaks:
            facts["dropped"] = {split: int((dropped["split"] == split).sum()) for split in SPLITS[:3]}
        if recipe.confidnet is not None:
            _regress(
                recipe, network, images, stored=stored, train=learned.train, val=rows["val"],
                folder=folder, resume=resume, progress=progress,
            )  # fmt: skip
            facts["confidnet"] = recipe.confidnet.model_dump()
        source = origin(recipe, costs, learned.weights, learned.note, **facts)
        network.card = replace(network.card, source=source)

        ranges = network.card.transform.ranges
        unfit = pixels.unfit(grey, ranges)
        for split, at in rows.items():
            if stored is None:
                predictions = answers(network, images, at, embeddings=embeddings, bar=progress)
            else:
                predictions = from_features(network, table.take(at), stored[at], embeddings=embeddings)
                predictions = replace(
                    predictions, notes=(*predictions.notes, *unfit.notes(at.tolist(), ranges))
                )
            tables.write(predictions, folder / "predictions" / f"{split}.parquet")
        backbone.save(network, folder)
    checkpoints = folder / "checkpoints"
    for place in (*checkpoints.glob("*/"), checkpoints):
        files.remove(place, "*.ckpt", "epochs.txt")
    say(f"{folder}: {epochs} epochs")
    return folder


def _finished(recipe: Recipe, folder: Path, resume: bool) -> bool:
    """Whether there is nothing left to do; refuses to overwrite and to resume something else."""
    written = folder / "recipe.yaml"
    if resume:
        if not written.exists():
            raise InputError(f"{folder}: there is no run to resume here; train without --resume")
        if Recipe.read(written).fingerprint() != recipe.fingerprint():
            raise InputError(f"{folder}: another recipe was begun here than the one given; take {written}")
        return (folder / "network.json").exists()
    if not files.bare(folder, "splits.parquet", "skipped.csv", "dropped.csv"):
        content = "a finished run" if (folder / "network.json").exists() else "an unfinished run"
        content = content if written.exists() else "something else"
        hint = "continue it with --resume or " if content == "an unfinished run" else ""
        raise InputError(f"{folder}: {content} is here and is not overwritten; {hint}name another folder")
    return False


def _split_notes(used: Material, rows: dict[str, Integers]) -> list[str]:
    """What a reader must know of the splits: images that are not in them, classes that one of them lacks."""
    sentences = []
    if used.added:
        sentences.append(
            f"{used.added} images came after the splits were written down and are no part of the run"
        )
    for split in SPLITS[:4]:
        present = set(used.table.label_index[rows.get(split, np.empty(0, dtype=np.int64))].tolist())
        bare = [name for at, name in enumerate(used.table.classes) if at not in present]
        if bare:
            sentences.append(f"no image of {shorten(bare)} is in the split {split}")
    return sentences


def _shift_note(shifted: ImageTable) -> str:
    sizes = ", ".join(f"{(shifted.cases['label'] == name).sum()} {name}" for name in shifted.classes)
    return f"{shifted.cases['shift'][0]} is held out: {len(shifted)} images ({sizes})"


def _dropped(
    recipe: Recipe, table: ImageTable, stores: Path, progress: bool
) -> tuple[Integers, pl.DataFrame]:
    """Rows that ``data.drop_leaks`` leaves out, and a table (id, split, why) of them; none without it."""
    if not recipe.data.drop_leaks:
        return np.empty(0, dtype=np.int64), pl.DataFrame()
    return leaking(table, copies.cached(table, stores, bar=progress))


def _rows(table: ImageTable, without: Integers) -> dict[str, Integers]:
    """Split → its rows but ``without``, for splits that have any; training and validation need labels."""
    used = ~np.isin(np.arange(len(table)), without)
    rows = {split: np.flatnonzero((table.cases["split"] == split).to_numpy() & used) for split in SPLITS}
    for split in ("train", "val"):
        rows[split] = rows[split][table.label_index[rows[split]] >= 0]
        if not len(rows[split]):
            raise InputError(
                f"{table.name}: training needs labelled images of the split {split!r}, none came"
            )
    return {split: at for split, at in rows.items() if len(at)}


def _network(recipe: Recipe, table: ImageTable) -> Network:
    settings = recipe.network
    network = backbone.build(
        settings.name,
        table.classes,
        weights=settings.weights,
        dropout=settings.dropout,
        image_size=settings.image_size,
        squash=recipe.data.squash,
        channels=table.channels,
        trunk_dropout=settings.trunk_dropout,
        reservation=recipe.loss.reservation,
    )
    precision = features.resolve(recipe.training.precision)
    network.card = replace(network.card, precision=precision, recipe=recipe.fingerprint())
    return network


def _with_ranges(card: Card, grey: pl.DataFrame, train: Integers, say: Callable[[str], None]) -> Card:
    """The card with the range of grey values that the images trained on have, if any of more than 8 bits."""
    summary = pixels.summary(grey, train)
    for line in summary["said"] if summary["no_stated_range"] or summary["stated"] else ():
        say(line)
    return replace(card, transform=replace(card.transform, ranges=pixels.ranges(grey, train)))


def _start(recipe: Recipe, folder: Path, used: Material, dropped: pl.DataFrame) -> None:
    """Write the splits first: the recipe says that there is a run to go on with."""
    used.cohort.write(folder)
    with files.whole(folder / "recipe.yaml") as draft:
        draft.write_text(recipe.to_yaml(), encoding="utf-8")
    for name, images in {"skipped": used.skipped, "dropped": dropped}.items():
        if len(images):
            with files.whole(folder / f"{name}.csv") as draft:
                images.write_csv(draft)


def _fit(
    recipe: Recipe,
    network: Network,
    images: Images,
    *,
    stored: Singles | None,
    learned: Learning,
    val: Integers,
    costs: SeverityMatrix | None,
    folder: Path,
    resume: bool,
    progress: bool,
) -> int:
    """Train the whole network on images, or its last layer on stored features; returns the epochs run."""
    training = recipe.training
    inputs, precision = _inputs(network, images, stored)
    part: nn.Module = network.to(memory_format=torch.channels_last)
    if stored is not None:
        part = nn.Sequential(network.dropout, network.last())
    elif network.reservation is not None:
        part = nn.Sequential(network.trunk, network.dropout, network.last())
    labels, risk = images.table.label_index, learned.risk
    train = loader(Rows(inputs, labels, learned.train, risk), training.batch_size, recipe.seed)
    watched = [rows for rows in (val, learned.observed) if len(rows)]
    after = [loader(Rows(inputs, labels, rows, risk), 2 * training.batch_size, None) for rows in watched]
    module = Fit(
        part.train(),
        network.prepare,
        learned.loss,
        classes=len(network.card.classes),
        cost=None if costs is None else costs.cost,
        training=training,
        steps=training.epochs * len(train),
        seed=recipe.seed,
    )
    return fit(module, train, after, folder, precision=precision, resume=resume, progress=progress)


def _regress(
    recipe: Recipe,
    network: Network,
    images: Images,
    *,
    stored: Singles | None,
    train: Integers,
    val: Integers,
    folder: Path,
    resume: bool,
    progress: bool,
) -> None:
    """Train a ConfidNet beside the network, which now carries it."""
    inputs, precision = _inputs(network, images, stored)
    labels, size = images.table.label_index, recipe.training.batch_size
    shuffled = loader(Rows(inputs, labels, train), size, recipe.seed)
    after = loader(Rows(inputs, labels, val), 2 * size, None)
    regress(
        recipe, network, shuffled, after,
        precision=precision, folder=folder, resume=resume, progress=progress,
    )  # fmt: skip
    has_trunk = network.confidnet is not None and network.confidnet.trunk is not None
    network.card = replace(network.card, confidnet="own" if has_trunk else "network")


def _inputs(network: Network, images: Images, stored: Singles | None) -> tuple[Inputs, str]:
    """What is trained on, images or stored features, and in which precision."""
    if stored is None:
        return images.batch, network.card.precision
    return _from(stored[:, : network.width]), "32-true"  # one layer gains nothing from less precision


def _from(stored: Singles) -> Inputs:
    def batch(rows: Integers) -> Tensor:
        return torch.from_numpy(np.asarray(stored[rows]))

    return batch
