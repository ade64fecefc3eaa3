"""Answers from features that are stored already: what a frozen trunk needs to see only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from primum.core.arrays import Singles
from primum.model import features, trained_scores
from primum.model import passes as mc
from primum.model.backbone import Network
from primum.model.predict import averaged, collected, from_features
from primum.predictions import Predictions

if TYPE_CHECKING:
    from primum.data.images import ImageTable

AT_ONCE = 4096  # rows of features


def once(network: Network, table: ImageTable, stored: Singles) -> Predictions:
    """What ``predict`` answers, from features (N, D + S) of the network's own trunk."""
    return from_features(network, table, stored)


def many(network: Network, table: ImageTable, stored: Singles, passes: int, seed: int = 0) -> Predictions:
    """What ``predict`` answers with ``passes``, from features (N, D + S) without dropout.

    For networks that drop units in the head alone, and whose ConfidNet has no trunk of its own: the masks are
    those of ``predict``, so the answers are too, but for float rounding.

    Raises:
        InputError: for fewer than two passes, or a network without dropout.
    """
    where = mc.dropout(network, passes)
    assert not where.trunk, "dropout inside the trunk needs the images"
    embeddings, means, scores = stored[:, : network.width], [], []
    with features.evaluating(network, torch.device("cpu")):
        for start in range(0, len(embeddings), AT_ONCE):
            part = torch.from_numpy(np.array(embeddings[start : start + AT_ONCE], dtype=np.float32))
            pass_scores = trained_scores.PassScores(
                network, part, part, None, where=where, count=passes, seed=seed
            )
            repeats = collected(pass_scores.logits())
            means.append(repeats.mean)
            scores.append(
                {f"mcd_{name}": score for name, score in repeats.scores().items()} | pass_scores.scores()
            )
    source = {"mc_dropout": {"passes": passes, "where": where.description, "seed": seed}}
    return averaged(from_features(network, table, stored), means, scores, source)
