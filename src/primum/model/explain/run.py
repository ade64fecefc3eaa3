"""Ask a network about every image of a table why it answered so, and whether the reason holds still."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from primum.core import archives, check, files
from primum.core.arrays import Array, Bools, Floats, Integers, Singles
from primum.core.check import InputError
from primum.data.images import MASK, ImageTable
from primum.judge.explanation import energy, similarity
from primum.judge.explanation.similarity import MEASURES
from primum.model import backbone, features
from primum.model.backbone import Network
from primum.model.explain import changes, layers, maps, pictures, stored
from primum.model.explain.changes import CHANGES
from primum.model.explain.layers import Layer
from primum.model.explain.maps import SIDE
from primum.model.explain.stored import Parts
from primum.model.explain.untrained import untrained
from primum.model.images import Images
from primum.model.predict import predict
from primum.predictions import Predictions

CHUNK = 128  # images; what an interruption can cost
COMPARED = 64  # images on which the untrained network is asked
MOST_PICTURES = 500
ALONG = {"maps": 0, "alike": 2, "applies": 1, "kept": 1, "energy": 0, "masked": 0}  # axis of the images


@dataclass(frozen=True, eq=False)
class Explaining:
    """One network asked why, about the images of one table.

    Attributes:
        network: on the device it is asked on. images: the table through its transform.
        layer: whose activations become maps. method: one of ``maps.METHODS``.
        targets: (N,) class index whose evidence is mapped: the one the network answered.
    """

    network: Network
    images: Images
    layer: Layer
    method: str
    targets: Integers

    def own_maps(self, rows: Integers, network: Network | None = None) -> Singles:
        """(B, SIDE, SIDE) maps of the unchanged images, of this network or of another of its architecture."""
        explained = network or self.network
        with maps.looking(explained, self.layer, self.method) as look:
            batches = [
                look(explained.prepare(self._pixels(part)), self.targets[part])[0] for part in _batches(rows)
            ]
        return torch.cat(batches).cpu().numpy()

    def chunk(self, rows: Integers) -> dict[str, Array]:
        """Maps of some rows, and how they and the answers held under every change.

        Returns:
            ``maps`` (B, SIDE, SIDE) float16; ``alike`` (C, M, B), the M measures under the C changes;
            ``applies`` (C, B), whether they could be measured; ``kept`` (C, B), whether the answer stayed;
            ``energy`` (B, 3), what lies on the lesion, and ``masked`` (B,), whether that could be told.
        """
        batches: list[dict[str, Array]] = []
        with maps.looking(self.network, self.layer, self.method) as look:
            for part in _batches(rows):
                pixels, targets = self._pixels(part), self.targets[part]
                evidence, logits = look(self.network.prepare(pixels), targets)
                unchanged = evidence.cpu().numpy()
                measured = [
                    self._under(change, pixels, targets, look, unchanged, logits) for change in CHANGES
                ]
                batches.append(
                    {
                        "maps": unchanged.astype(np.float16),
                        "alike": np.stack([measures[0] for measures in measured]),
                        "applies": np.stack([measures[1] for measures in measured]),
                        "kept": np.stack([measures[2] for measures in measured]),
                        **self._on_lesion(part, unchanged),
                    }
                )
        return _joined(batches)

    def _pixels(self, rows: Integers) -> Tensor:
        return self.images.batch(rows).to(self.network.mean.device).float() / 255

    def _under(
        self,
        change: changes.Change,
        pixels: Tensor,
        targets: Integers,
        look: maps.Look,
        unchanged: Singles,
        logits: Tensor,
    ) -> tuple[Floats, Bools, Bools]:
        """Measures (M, B), whether they apply (B,) and whether the answer stayed (B,) under one change."""
        shifted, moved = look(self.network.prepare(changes.changed(pixels, change)), targets)
        back = changes.undone(shifted, change).cpu().numpy()
        alike, applies = similarity.alike(unchanged, back, changes.in_frame(SIDE, change))
        stays = (moved.argmax(dim=1) == logits.argmax(dim=1)).cpu().numpy()
        return np.stack([alike[name] for name in MEASURES]), applies, stays

    def _on_lesion(self, rows: Integers, evidence: Singles) -> dict[str, Array]:
        shares, masked = np.zeros((len(rows), 3)), np.zeros(len(rows), dtype=bool)
        for at, row in enumerate(rows):
            inside = self.inside(int(row))
            if inside is not None and inside.any() and evidence[at].any():
                coarse = np.asarray(Image.fromarray(inside).resize((SIDE, SIDE), Image.Resampling.BOX))
                shares[at] = [part[0] for part in energy.energy(evidence[at][None], coarse[None])]
                masked[at] = True
        return {"energy": shares, "masked": masked}

    def inside(self, row: int) -> Singles | None:
        """(S, S) share of each pixel of the network's input on the lesion; None without a mask."""
        mask = self.images.table.mask(row)
        return None if mask is None else self.images.transform.inside(mask)

    def key(self) -> str:
        """Fingerprint of everything the maps and their measures depend on."""
        head = [part.detach().cpu() for part in self.network.head.parameters()]
        named = {
            "network": self.network.fingerprint(),
            "head": hashlib.sha256(b"".join(part.numpy().tobytes() for part in head)).hexdigest(),
            "transform": self.images.transform.to_dict(),
            "images": self.images.table.fingerprint(),
            "masks": MASK in self.images.table.cases.columns,
            "targets": self.targets.tolist(),
            "changes": [change.to_dict() for change in CHANGES],
            "method": [self.method, self.layer.name, SIDE],
        }
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:32]


def explain(
    run: Path | str | Network,
    table: ImageTable,
    out: Path | str,
    *,
    only: str | None = None,
    method: str = "grad_cam",
    progress: bool = True,
) -> Predictions:
    """Map what speaks for each answer of a network, and measure how still the maps hold.

    Every image is explained for the class the network answered, unchanged and under the mild changes of
    ``model/explain/changes.py``; geometric ones are undone on the map, and pixels that had left the frame are
    not compared.

    Args:
        run: folder of a training run, or a network.
        table: the images; with a column ``mask`` the share of energy on the lesion is told, too.
        out: table of predictions to write (Parquet). Beside it, in ``<stem>.maps``: ``maps.npy``
            (N, 64, 64) float16, ``index.parquet``, ``changes.parquet``, ``explanation.json``, ``pictures/``.
        only: ``"failures"`` explains wrong answers alone, or None.
        method: ``grad_cam`` or ``score_cam``.
        progress: show a bar on standard error. An interrupted run goes on where it stopped.

    Returns:
        The predictions of the explained images, as written, with ``score_stability_…``.

    Raises:
        InputError: for a network without a layer to look at, a mask of another size than its image, or
            when there is no failure to explain.
        CorruptImageError: for the first image or mask that does not decode.
    """
    if only is not None:
        check.one_of(only, ("failures",), "--only:")
    check.one_of(method, maps.METHODS, "--method:")
    network = run if isinstance(run, Network) else backbone.load(run)
    layer = layers.last_spatial(network)
    answered = predict(network, table, embeddings=False, progress=progress)
    if only == "failures":
        wrong = ~answered.correct & (answered.labels >= 0)
        if not wrong.any():
            raise InputError(
                f"{table.name}: of {len(table)} answers none is wrong, so there is no failure to explain"
            )
        answered, table = answered.take(wrong), table.take(wrong)
    network.to(features.device())
    asking = Explaining(network, Images(table, network.card.transform), layer, method, answered.predicted)
    folder = stored.folder_of(out)
    parts = _parts(asking, folder / "parts" / asking.key(), progress)
    twin = untrained(network)
    rows = np.arange(min(COMPARED, len(table)))
    compared, applies = similarity.alike(parts["maps"][rows], asking.own_maps(rows, twin))
    network.cpu()
    paths = _pictures(asking, answered, parts["maps"], folder)
    settings: dict[str, object] = {"method": method, "layer": layer.name, "grid": list(layer.grid)}
    settings |= stored.summary(parts, compared, applies)
    explained = stored.table(answered, parts, paths, settings)
    stored.write(explained, parts, out)
    return explained


def _parts(asking: Explaining, folder: Path, bar: bool) -> Parts:
    """Every chunk, those that an interrupted run left behind included."""
    n = len(asking.targets)
    starts, loaded = range(0, n, CHUNK), []
    with features.progress(bar) as bars:
        task = bars.add_task("maps", total=n)
        for start in starts:
            rows = np.arange(start, min(start + CHUNK, n))
            part = archives.cached(folder / f"{start}.npz")
            if part is None:
                part = dict(asking.chunk(rows))
                with files.whole(folder / f"{start}.npz") as draft:
                    np.savez(draft, **part)  # type: ignore[arg-type]
            loaded.append(part)
            bars.advance(task, len(rows))
    return _joined(loaded)


def _joined(chunks: Sequence[Parts]) -> dict[str, Array]:
    return {name: np.concatenate([chunk[name] for chunk in chunks], axis) for name, axis in ALONG.items()}


def _batches(rows: Integers) -> list[Integers]:
    size = 128 if features.device().type == "cuda" else 32
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _pictures(asking: Explaining, answered: Predictions, evidence: Array, folder: Path) -> dict[int, str]:
    """Row → path, relative to the table, of its picture: failures first, the most confident first."""
    sure = answered.probs.max(axis=1)
    order = np.lexsort((-sure, answered.correct))[:MOST_PICTURES]
    paths = {}
    for row in order.tolist():
        pixels = asking.images.batch(np.array([row]))[0].permute(1, 2, 0).numpy()
        picture = pictures.side_by_side(pixels, evidence[row].astype(np.float32), asking.inside(row))
        with files.whole(folder / "pictures" / f"{row:06d}.png") as draft:
            picture.save(draft, format="PNG")
        paths[row] = f"{folder.name}/pictures/{row:06d}.png"
    return paths
