"""Answers from features that are stored already: what a frozen trunk needs to see only once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from primum.core.arrays import Singles
from primum.judge.confidence import uncertainty
from primum.model import features, trained_scores
from primum.model import passes as mc
from primum.model.backbone import Network
from primum.model.predict import from_embeddings
from primum.predictions import Predictions

if TYPE_CHECKING:
    from primum.data.images import ImageTable

AT_ONCE = 4096  # rows of features


def once(network: Network, table: ImageTable, found: Singles) -> Predictions:
    """What ``predict`` answers, from embeddings (N, D) of the network's own trunk."""
    return from_embeddings(network, table, found)


def many(network: Network, table: ImageTable, found: Singles, passes: int, seed: int = 0) -> Predictions:
    """What ``predict`` answers with ``passes``, from embeddings (N, D) without dropout.

    For networks that drop units in the head alone, and whose ConfidNet has no trunk of its own: the masks are
    those of ``predict``, so the answers are too, but for float rounding.

    Raises:
        InputError: for fewer than two passes, or a network without dropout.
    """
    where = mc.dropout(network, passes)
    assert not where.trunk, "dropout inside the trunk needs the images"
    means, scores = [], []
    with features.asked(network, torch.device("cpu")):
        for start in range(0, len(found), AT_ONCE):
            part = torch.from_numpy(np.array(found[start : start + AT_ONCE], dtype=np.float32))
            said = trained_scores.PassScores(network, part, part, None, where, passes, seed)
            made = uncertainty.collected(one.double().softmax(dim=1).numpy() for one in said.logits())
            means.append(made.mean)
            scores.append({f"mcd_{name}": score for name, score in made.scores().items()} | said.scores())
    plain = from_embeddings(network, table, found)
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.concatenate(means))
    of_passes = {name: np.concatenate([part[name] for part in scores]) for name in scores[0]}
    source = dict(plain.source) | {"mc_dropout": {"passes": passes, "where": where.said, "seed": seed}}
    return replace(
        plain,
        logits=log_probs,
        kind="log_probabilities",
        scores=of_passes | dict(plain.scores),
        source=source,
    )
