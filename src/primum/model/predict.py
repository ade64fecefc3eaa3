"""Ask a network about every image of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from torch import Tensor

from primum.core import check
from primum.core.arrays import Floats, Integers, Singles
from primum.core.version import __version__
from primum.data.images import HELD_OUT, NEW
from primum.judge.confidence import uncertainty
from primum.model import augmenting, backbone, features, stages, trained_scores
from primum.model import passes as mc
from primum.model.backbone import Network
from primum.model.images import Images
from primum.model.recipe import Recipe
from primum.predictions import Predictions
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
    corruption: tuple[str, int] | None = None,
) -> Predictions:
    """Answers of a trained network for every image of a table.

    With ``passes`` or ``tta`` the answer is the mean softmax of these passes (of the dropout passes when both
    are asked for), stored as log-probabilities: whether it is right is judged by that mean
    (``docs/methods.md#confidence-scores``). What the passes say of each case stands beside it as ``mcd_…``
    and ``tta_…`` in ``scores``. A network trained by Deep Gamblers, or with a ConfidNet, gives ``dg`` and
    ``confidnet`` too, and of the dropout passes ``dg_mcd_msr`` and ``mcd_confidnet``; see
    :mod:`primum.model.trained_scores`.

    Args:
        run: folder of a training run, or a network.
        table: the images; its classes may stand in another order than the network's, but not be others.
        embeddings: keep the (N, D) embeddings, and what each stage saw, beside the (N, K) logits: those
            without dropout or change.
        progress: show a bar on standard error.
        passes: S stochastic passes with dropout on, 0 for none; see :mod:`primum.model.passes`.
        tta: ask about the changes of :mod:`primum.model.augmenting` too.
        seed: of the dropout, and of the corruption.
        corruption: name and intensity of :data:`primum.data.corruptions.CORRUPTIONS`: each image is corrupted
            at the network's size, and the columns ``shift`` and ``shift_level`` say so.

    Returns:
        Predictions with float32 logits (eval mode, no augmentation), or float64 log-probabilities, labels in
        the network's class order, and every column of ``table.cases`` but id and label as metadata.

    Raises:
        InputError: when the classes differ, there is no trained network in ``run``, passes are asked of a
            network without dropout, or the corruption is unknown.
        CorruptImageError: for the first image that does not decode.
    """
    network = run if isinstance(run, Network) else backbone.load(run)
    check.same_classes(table.classes, network.card.classes, table.name, f"the network {network.card.name}")
    table = table if corruption is None else table.shifted(*corruption)
    images = Images(table, network.card.transform, corruption, seed)
    if passes or tta:
        return _repeated(
            network, table, images, embeddings=embeddings, bar=progress, passes=passes, tta=tta, seed=seed
        )
    return answers(network, images, np.arange(len(table)), embeddings=embeddings, bar=progress)


def answers(
    network: Network, images: Images, rows: Integers, *, embeddings: bool = True, bar: bool = False
) -> Predictions:
    """Predictions for the images at ``rows``, each seen once as it is."""
    network_features, confidnet_embeddings = trained_scores.embed(network, images, rows, bar=bar)
    answered = from_features(
        network, images.table.take(rows), network_features, confidnet_embeddings, embeddings=embeddings
    )
    return replace(answered, notes=(*answered.notes, *images.notes(rows)))


def _repeated(
    network: Network,
    table: ImageTable,
    images: Images,
    *,
    embeddings: bool,
    bar: bool,
    passes: int,
    tta: bool,
    seed: int,
) -> Predictions:
    """Predictions by the mean of many passes, scores beside them; nothing of a pass outlives its batch."""
    source: dict[str, object] = {}
    where = mc.dropout(network, passes) if passes else mc.Places(0.0, 0)
    if passes:
        source["mc_dropout"] = {"passes": passes, "where": where.description, "seed": seed}
    if tta:
        source["test_time_augmentation"] = list(augmenting.CHANGES)
    on, trunk = features.device(), trained_scores.own_trunk(network)
    network_parts, confidnet_parts, means, scores = [], [], [], []
    with features.evaluating(network, on), features.progress(bar) as bars:
        task = bars.add_task("answers", total=len(table))
        for batch in images.batches(np.arange(len(table)), features.at_once(on)):
            pixels = batch.to(on)
            batch_features = features.observe_batch(network, pixels)
            batch_embeddings = batch_features[:, : network.width]
            batch_confidnet = None if trunk is None else features.embed_batch(network, pixels, trunk)
            of_batch: dict[str, uncertainty.Passes] = {}
            trained: dict[str, Floats] = {}
            if passes:
                pass_scores = trained_scores.PassScores(
                    network, pixels, batch_embeddings, batch_confidnet, where=where, count=passes, seed=seed
                )
                of_batch["mcd"] = collected(pass_scores.logits())
                trained = pass_scores.scores()
            if tta:
                of_batch["tta"] = collected(augmenting.logits(network, pixels, batch_embeddings))
            network_parts.append(batch_features.cpu().numpy())
            confidnet_parts += [] if batch_confidnet is None else [batch_confidnet.cpu().numpy()]
            means.append(next(iter(of_batch.values())).mean)
            scores.append(
                {
                    f"{name}_{key}": score
                    for name, repeats in of_batch.items()
                    for key, score in repeats.scores().items()
                }
                | trained
            )
            bars.advance(task, len(batch))
    of_confidnet = np.concatenate(confidnet_parts) if confidnet_parts else None
    plain = from_features(network, table, np.concatenate(network_parts), of_confidnet, embeddings=embeddings)
    answered = averaged(plain, means, scores, source)
    return replace(answered, notes=(*answered.notes, *images.notes(np.arange(len(table)))))


def averaged(
    plain: Predictions,
    means: Sequence[Floats],
    scores: Sequence[Mapping[str, Floats]],
    source: Mapping[str, object],
) -> Predictions:
    """The same predictions, answered by the mean of many passes.

    Args:
        plain: of the network once, without dropout or change.
        means: (B, K) mean softmax of each batch.
        scores: name → (B,) of each batch.
        source: what the passes were.
    """
    with np.errstate(divide="ignore"):  # the logarithm of a mean that is exactly 0 is −∞
        log_probs = np.log(np.concatenate(means))
    of_passes = {name: np.concatenate([batch[name] for batch in scores]) for name in scores[0]}
    return replace(
        plain,
        logits=log_probs,
        kind="log_probabilities",
        scores=of_passes | dict(plain.scores),
        source=dict(plain.source) | dict(source),
    )


def collected(logits: Iterator[Tensor]) -> uncertainty.Passes:
    """What the passes of a batch say together, of (B, K) logits of one pass after another."""
    # In double precision: a sum of many passes in float32 would lose the digits in which they differ.
    return uncertainty.collected(batch.cpu().double().softmax(dim=1).numpy() for batch in logits)


def from_features(
    network: Network,
    table: ImageTable,
    network_features: Singles,
    confidnet_embeddings: Singles | None = None,
    *,
    embeddings: bool = True,
) -> Predictions:
    """Predictions of the last layer on features (N, D + S) already computed for the N rows of a table.

    The embeddings alone, (N, D), will do, but then nothing is known of the stages.
    ``confidnet_embeddings`` are those of the trunk of the network's ConfidNet, where that has one.
    """
    position = np.array([network.card.classes.index(name) for name in table.classes] + [-1])
    network_embeddings = np.asarray(network_features[:, : network.width])
    seen = stages.split(np.asarray(network_features), network.width, network.stages)
    note = (network.card.source.get("loss") or {}).get("note")
    source = dict(network.card.source) | {"data": table.name, "data_fingerprint": table.fingerprint()}
    return Predictions(
        ids=table.cases["id"],
        classes=network.card.classes,
        labels=position[table.label_index],  # an unknown label, -1, stays -1
        logits=classify(network, network_embeddings),
        embeddings=network_embeddings if embeddings else None,
        stages=seen if embeddings else None,
        scores=trained_scores.scores(network.cpu(), network_embeddings, confidnet_embeddings),
        metadata=judged(table.cases).drop("id", "label"),
        source=source,
        notes=(note,) if note else (),
        name=table.name,
    )


def judged(cases: pl.DataFrame) -> pl.DataFrame:
    """The cases of a table of predictions: what was held out as a shift, or came later, is a test."""
    return cases.with_columns(split=pl.col("split").replace([HELD_OUT, NEW], ["test", "test"]))


def classify(network: Network, embeddings: Singles) -> Singles:
    """(N, K) float32 logits of the last layer, without dropout, for embeddings (N, D)."""
    head = network.head.cpu()
    with torch.inference_mode():
        logits: Singles = head(torch.from_numpy(np.array(embeddings, dtype=np.float32))).numpy()
    return logits


def origin(
    recipe: Recipe,
    severity: SeverityMatrix | None,
    weights: list[float] | None = None,
    note: str = "",
    **facts: object,
) -> dict[str, object]:
    """What a run's predictions say of themselves, JSON-ready and without paths.

    ``loss`` holds what is needed to undo the loss's miscalibration: every field of the recipe's section (null
    where it does not belong to the loss), ``severity`` as ``SeverityMatrix.to_dict`` gives it where it was
    trained on, and the class ``weights``; ``note`` where there is something a reader must know.
    """
    trained_on = severity if recipe.loss.needs_severity else None
    return {
        "recipe": recipe.name,
        "network": recipe.network.name,
        "weights": Path(recipe.network.weights).name,
        "trunk": recipe.network.trunk,
        "loss": {
            **recipe.loss.every_field(),
            "weights": weights,
            "severity": None if trained_on is None else trained_on.to_dict(),
            **({"note": note} if note else {}),
        },
        "seed": recipe.seed,
        **facts,
        "primum": __version__,
    }
