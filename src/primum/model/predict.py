"""Ask a network about every image of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from primum import __version__, check
from primum.model import backbone, features
from primum.model.backbone import Network
from primum.model.images import Images
from primum.predictions import Predictions
from primum.recipe import Recipe
from primum.severity import SeverityMatrix

if TYPE_CHECKING:
    from primum.data.images import ImageTable


def predict(
    run: Path | str | Network, table: ImageTable, *, embeddings: bool = True, progress: bool = True
) -> Predictions:
    """Answers of a trained network for every image of a table.

    Args:
        run: folder of a training run, or a network.
        table: the images; its classes may stand in another order than the network's, but not be others.
        embeddings: keep the (N, D) features beside the (N, K) logits.
        progress: show a bar on standard error.

    Returns:
        Predictions with float32 logits (eval mode, no augmentation), labels in the network's class order,
        and every column of ``table.cases`` but id and label as metadata.

    Raises:
        InputError: when the classes differ or there is no trained network in ``run``.
        CorruptImageError: for the first image that does not decode.
    """
    network = run if isinstance(run, Network) else backbone.load(run)
    check.same_classes(table.classes, network.card.classes, table.name, f"the network {network.card.name}")
    images = Images(table, network.card.transform)
    found = features.embed(network, images, np.arange(len(table)), bar=progress)
    return from_embeddings(network, table, found, embeddings=embeddings)


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
