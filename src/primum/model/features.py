"""Features of every image, its embedding and what each stage saw, computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from primum.core import archives, files
from primum.core.arrays import Integers, Singles
from primum.core.check import InputError
from primum.data import corruptions
from primum.data.imaging.ranges import Unfit
from primum.model import stages
from primum.model.backbone import Network
from primum.model.images import Images

if TYPE_CHECKING:
    from primum.data.images import ImageTable

# joblib.Memory would store these too, but by pickles, and nothing here reads a pickle.
CHUNK = 1024  # images; what an interruption can cost


def device() -> torch.device:
    """The accelerator at hand (CUDA, then Apple's), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def resolve(precision: str, on: torch.device | None = None) -> str:
    """``auto`` made definite: bf16-mixed where the processor multiplies bfloat16 natively, else 32-true.

    Natively means CUDA of compute capability 8 or more, or a CPU with AVX512-BF16 or AMX; elsewhere bfloat16
    is emulated and slower. The rule reads the hardware and measures nothing, so one machine always gives one
    answer.
    """
    on = on or device()
    if precision != "auto":
        return precision
    if on.type == "cuda":
        native = torch.cuda.get_device_capability(on)[0] >= 8
    else:
        asks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        native = on.type == "cpu" and any(getattr(torch.cpu, embedder, lambda: False)() for embedder in asks)
    return "bf16-mixed" if native else "32-true"


def embed_batch(network: Network, pixels: Tensor, trunk: nn.Module | None = None) -> Tensor:
    """(B, D) float32 embeddings of pixels (B, C, S, S), uint8 or float in 0..1, on the network's device.

    Of another ``trunk`` of the same kind, where one is given.
    """
    low = network.card.precision == "bf16-mixed"
    ready = network.prepare(pixels).contiguous(memory_format=torch.channels_last)
    with torch.autocast(pixels.device.type, torch.bfloat16) if low else nullcontext():
        embeddings: Tensor = network.embed(ready) if trunk is None else trunk(ready)
        return embeddings.float()


def observe_batch(network: Network, pixels: Tensor) -> Tensor:
    """(B, D + S) float32 features of pixels: the embedding, and what each stage saw in the same pass."""
    with stages.watched(network.trunk, network.stages) as seen:
        embeddings = embed_batch(network, pixels)
    return torch.cat([embeddings, *seen], dim=1)


def embed(
    network: Network,
    images: Images,
    rows: Integers,
    *,
    bar: bool = False,
    embedder: Callable[[Network, Tensor], Tensor] = observe_batch,
) -> Singles:
    """(N, D + S) float32 features of the images at ``rows``: eval mode, no augmentation, channels last.

    In bfloat16 inside where the network's card says ``bf16-mixed``. ``embedder`` makes the
    features of one batch of pixels.
    """
    on = device()
    parts = []
    with evaluating(network, on), progress(bar) as bars:
        task = bars.add_task("features", total=len(rows))
        for batch in images.batches(rows, at_once(on)):
            parts.append(embedder(network, batch.to(on)).cpu().numpy())
            bars.advance(task, len(batch))
    return np.concatenate(parts)


def at_once(on: torch.device) -> int:
    """Images in a batch that is only looked at, not trained on."""
    return 256 if on.type == "cuda" else 64


@contextmanager
def evaluating(network: Network, on: torch.device) -> Iterator[None]:
    """The network in eval mode on a device, without gradients; then on the CPU, in the mode it was in."""
    training = network.training
    network.eval().to(on, memory_format=torch.channels_last)  # type: ignore[call-overload]
    try:
        with torch.inference_mode():
            yield
    finally:
        network.cpu().train(training)


def cached(network: Network, images: Images, folder: Path, *, bar: bool = False) -> Singles:
    """(N, D + S) float32 features of a whole table, from ``folder`` or computed into it; memory-mapped.

    The file's name is the fingerprint of the images (not of labels or splits), their corruption, the trunk,
    its stages, the transform and the precision, so a file is shared by every recipe that agrees on them. An
    interruption costs at most the last 1,024 images.
    """
    table = images.table
    # Labels and splits do not reach the trunk: recipes that differ in them share the file.
    named: dict[str, object] = {
        "images": table.image_fingerprint(),
        "trunk": network.fingerprint(),
        "transform": network.card.transform.to_dict(),
        "precision": network.card.precision,
    }
    if network.stages:
        named["stages"] = stages.widths(network.stages)
    if images.corruption is not None:
        named["corruption"] = [images.corruption, corruptions.parameter(*images.corruption), images.seed]
    key = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:32]
    final, chunks = folder / f"{key}.npy", folder / key
    if _damaged(final, len(table)):
        starts = range(0, len(table), CHUNK)
        sizes = {start: min(CHUNK, len(table) - start) for start in starts}
        todo = [start for start in starts if _damaged(chunks / f"{start}.npy", sizes[start])]
        with progress(bar) as bars:
            task = bars.add_task("features", total=len(table))
            bars.advance(task, len(table) - sum(sizes[start] for start in todo))
            for start in todo:
                rows = np.arange(start, min(start + CHUNK, len(table)))
                embeddings = embed(network, images, rows)
                with files.whole(chunks / f"{start}.npy") as draft:
                    np.save(draft, embeddings, allow_pickle=False)
                bars.advance(task, len(rows))
        # Chunks go only when the whole is written, so an interruption at any point loses no more than one.
        with files.whole(final) as draft:
            np.save(draft, np.concatenate([_stored(chunks / f"{start}.npy") for start in starts]))
        files.remove(chunks, "*.npy")
    return _stored(final)


def _stored(file: Path) -> Singles:
    stored: Singles = archives.array(file, "stored features")
    return stored


def _damaged(file: Path, n: int) -> bool:
    """Whether a file does not hold the features of n images, or is not there."""
    try:
        return len(_stored(file)) != n
    except InputError:
        return True


def shared(
    network: Network, images: Images, dataset: ImageTable, folder: Path, *, bar: bool = False
) -> Singles:
    """(N, D + S) float32 features of images that are some of the ``dataset``'s: those of :func:`cached`.

    So every recipe that holds something out of the same data shares one file.
    """
    stored = cached(network, replace(images, table=dataset, unfit=Unfit()), folder, bar=bar)
    if len(dataset) == len(images):
        return stored
    at = {name: row for row, name in enumerate(dataset.cases["id"])}
    chosen: Singles = stored[[at[name] for name in images.table.cases["id"]]]
    return chosen


def progress(visible: bool) -> Progress:
    """A progress bar on standard error, or a silent one."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not visible, transient=True)
