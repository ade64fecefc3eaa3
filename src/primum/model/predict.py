"""Ask a network about every image of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from primum import __version__, check
from primum.judge import uncertainty
from primum.model import augmenting, backbone, features
from primum.model import passes as mc
from primum.model.backbone import Network
from primum.model.images import Images
from primum.predictions import Predictions
from primum.recipe import Recipe
from primum.severity import SeverityMatrix

if TYPE_CHECKING:
    from primum.data.images import ImageTable


def predict(
    run: Path | str | Network,
    table: ImageTable,
    *,
    embeddings: bool = True,
    progress: bool = True,
    passes: int = 0,
    tta: bool = False,
    seed: int = 0,
) -> Predictions:
    """Answers of a trained network for every image of a table.

    With ``passes`` or ``tta`` the answer is the mean softmax of these passes (of the dropout passes when both
    are asked for), stored as log-probabilities: whether it is right is judged by that mean (METHODS §4). What
    the passes say of each case stands beside it as ``mcd_…`` and ``tta_…`` in ``scores``.

    Args:
        run: folder of a training run, or a network.
        table: the images; its classes may stand in another order than the network's, but not be others.
        embeddings: keep the (N, D) features beside the (N, K) logits, those without dropout or change.
        progress: show a bar on standard error.
        passes: S stochastic passes with dropout on, 0 for none; see :mod:`primum.model.passes`.
        tta: ask about the changes of :mod:`primum.model.augmenting` too.
        seed: of the dropout.

    Returns:
        Predictions with float32 logits (eval mode, no augmentation), or float64 log-probabilities, labels in
        the network's class order, and every column of ``table.cases`` but id and label as metadata.

    Raises:
        InputError: when the classes differ, there is no trained network in ``run``, or passes are asked of a
            network without dropout.
        CorruptImageError: for the first image that does not decode.
    """
    network = run if isinstance(run, Network) else backbone.load(run)
    check.same_classes(table.classes, network.card.classes, table.name, f"the network {network.card.name}")
    images = Images(table, network.card.transform)
    if passes or tta:
        return _repeated(network, table, images, embeddings, progress, passes, tta, seed)
    found = features.embed(network, images, np.arange(len(table)), bar=progress)
    return from_embeddings(network, table, found, embeddings=embeddings)


def _repeated(
    network: Network,
    table: ImageTable,
    images: Images,
    embeddings: bool,
    bar: bool,
    passes: int,
    tta: bool,
    seed: int,
) -> Predictions:
    """Predictions by the mean of many passes, scores beside them; nothing of a pass outlives its batch."""
    ways: dict[str, Callable[[Tensor, Tensor], Iterator[Tensor]]] = {}
    source: dict[str, Any] = {}
    if passes:
        where = mc.dropout(network, passes)
        ways["mcd"] = lambda pixels, found: mc.logits(network, pixels, found, where, passes, seed)
        source["mc_dropout"] = {"passes": passes, "where": where.said, "seed": seed}
    if tta:
        ways["tta"] = lambda pixels, found: augmenting.logits(network, pixels, found)
        source["test_time_augmentation"] = list(augmenting.CHANGES)
    on = features.device()
    kept, means, scores = [], [], []
    with features.asked(network, on), features.progress(bar) as shown:
        task = shown.add_task("answers", total=len(table))
        for batch in images.batches(np.arange(len(table)), features.at_once(on)):
            pixels = batch.to(on)
            found = features.one(network, pixels)
            of_batch = {
                name: uncertainty.collected(_probs(logits) for logits in way(pixels, found))
                for name, way in ways.items()
            }
            kept.append(found.cpu().numpy())
            means.append(next(iter(of_batch.values())).mean)
            scores.append(
                {
                    f"{name}_{key}": score
                    for name, made in of_batch.items()
                    for key, score in made.scores().items()
                }
            )
            shown.advance(task, len(batch))
    plain = from_embeddings(network, table, np.concatenate(kept), embeddings=embeddings)
    with np.errstate(divide="ignore"):
        answers = np.log(np.concatenate(means))
    return replace(
        plain,
        logits=answers,
        kind="log_probabilities",
        scores={name: np.concatenate([part[name] for part in scores]) for name in scores[0]},
        source=dict(plain.source) | source,
    )


def _probs(logits: Tensor) -> NDArray[np.float64]:
    probs: NDArray[np.float64] = logits.cpu().double().softmax(dim=1).numpy()
    return probs


def from_embeddings(
    network: Network, table: ImageTable, found: NDArray[np.float32], *, embeddings: bool = True
) -> Predictions:
    """Predictions of the last layer on embeddings (N, D) already computed for the N rows of a table."""
    position = np.array([network.card.classes.index(name) for name in table.classes] + [-1])
    source = dict(network.card.source) | {"data": table.name, "data_fingerprint": table.fingerprint()}
    return Predictions(
        ids=table.cases["id"],
        classes=network.card.classes,
        labels=position[table.label_index],  # an unknown label, -1, stays -1
        logits=classify(network, found),
        embeddings=np.asarray(found) if embeddings else None,
        metadata=table.cases.drop("id", "label"),
        source=source,
        name=table.name,
    )


def classify(network: Network, found: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) float32 logits of the last layer, without dropout, for embeddings (N, D)."""
    head = network.head.cpu()
    with torch.inference_mode():
        logits: NDArray[np.float32] = head(torch.from_numpy(np.array(found, dtype=np.float32))).numpy()
    return logits


def origin(
    recipe: Recipe, severity: SeverityMatrix | None, weights: list[float] | None = None, **rest: Any
) -> dict[str, Any]:
    """What a run's predictions say of themselves, JSON-ready and without paths.

    ``loss`` holds what is needed to undo the loss's miscalibration: every field of the recipe's section (null
    where it does not belong to the loss), ``severity`` as ``SeverityMatrix.to_dict`` gives it where it was
    trained on, and the class ``weights``.
    """
    costly = recipe.loss.name in ("risk_calibrated", "hierarchical", "logit_adjusted")
    return {
        "recipe": recipe.name,
        "network": recipe.network.name,
        "weights": Path(recipe.network.weights).name,
        "trunk": recipe.network.trunk,
        "loss": {
            **recipe.loss.model_dump(mode="json"),
            "weights": weights,
            "severity": severity.to_dict() if costly and severity is not None else None,
        },
        "seed": recipe.seed,
        **rest,
        "primum": __version__,
    }
