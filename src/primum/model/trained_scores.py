"""Confidences that a network was trained to give: Deep Gamblers' reservation and ConfidNet.

See ``docs/methods.md#confidence-scores``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from primum.core.arrays import Floats, Integers, Singles
from primum.model import features, passes
from primum.model.backbone import Network
from primum.model.images import Images
from primum.model.passes import Places

AT_ONCE = 8192  # rows of features


def own_trunk(network: Network) -> nn.Module | None:
    """The fine-tuned trunk of the network's ConfidNet, or None where it reads the network's embeddings."""
    return None if network.confidnet is None else network.confidnet.trunk


def embed(
    network: Network, images: Images, rows: Integers, *, bar: bool = False
) -> tuple[Singles, Singles | None]:
    """(N, D + S) features, and (N, D) embeddings of the ConfidNet's own trunk, or None; one read an image."""
    trunk = own_trunk(network)
    if trunk is None:
        return features.embed(network, images, rows, bar=bar), None

    def embed_twice(network: Network, pixels: Tensor) -> Tensor:
        return torch.cat(
            [features.observe_batch(network, pixels), features.embed_batch(network, pixels, trunk)], dim=1
        )

    both = features.embed(network, images, rows, bar=bar, embedder=embed_twice)
    network_features, confidnet_embeddings = np.split(both, [-network.width], axis=1)
    return network_features, confidnet_embeddings


def scores(
    network: Network, embeddings: Singles, confidnet_embeddings: Singles | None = None
) -> dict[str, Floats]:
    """Name → (N,) score, 0 to 1, of embeddings (N, D) without dropout; empty for most networks.

    ``dg`` is 1 − p_res, p_res what the softmax over K classes and the reservation puts on the reservation;
    ``confidnet`` the probability of the true class that ConfidNet expects.

    Args:
        network: on the CPU.
        embeddings: its own.
        confidnet_embeddings: those of the trunk of its ConfidNet, where that has one.
    """
    confidences: dict[str, list[Tensor]] = {}
    with torch.inference_mode():
        for start in range(0, len(embeddings), AT_ONCE):
            part = torch.from_numpy(np.array(embeddings[start : start + AT_ONCE], dtype=np.float32))
            if network.reservation is not None:
                outputs = network.last()(part)
                # 1 − p_res without the difference, which is 0 where p_res rounds to 1
                unreserved = (outputs[:, :-1].logsumexp(dim=1) - outputs[:, -1]).sigmoid()
                confidences.setdefault("dg", []).append(unreserved)
            if network.confidnet is not None:
                if network.confidnet.trunk is not None:
                    assert confidnet_embeddings is not None
                    own_part = confidnet_embeddings[start : start + AT_ONCE]
                    part = torch.from_numpy(np.array(own_part, dtype=np.float32))
                confidences.setdefault("confidnet", []).append(network.confidnet(part))
    return {name: torch.cat(parts).double().numpy() for name, parts in confidences.items()}


class PassScores:
    """Means over dropout passes of one batch, pass by pass.

    ``dg_mcd_msr`` is the largest class probability of the mean softmax over K classes and the reservation;
    the one over the classes alone is ``mcd_msr``. ``mcd_confidnet`` is the mean of what ConfidNet says. All
    of a pass see the same dropout masks.

    Args:
        network, pixels, embeddings, where, count, seed: as in :func:`~primum.model.passes.head_inputs`.
        confidnet_embeddings: (B, D) embeddings of the ConfidNet's own trunk, or None.
    """

    def __init__(
        self,
        network: Network,
        pixels: Tensor,
        embeddings: Tensor,
        confidnet_embeddings: Tensor | None,
        *,
        where: Places,
        count: int,
        seed: int,
    ) -> None:
        self.network, self.count = network, count
        self._inputs = passes.head_inputs(network, pixels, embeddings, where=where, count=count, seed=seed)
        trunk = own_trunk(network)
        self._confidnet_inputs: Iterator[Tensor] | None = None
        if confidnet_embeddings is not None:
            self._confidnet_inputs = passes.head_inputs(
                network, pixels, confidnet_embeddings, where=where, count=count, seed=seed, trunk=trunk
            )
        self._classes: Floats = np.zeros(())
        self._confidence: Floats = np.zeros(())

    def logits(self) -> Iterator[Tensor]:
        """(B, K) logits of one pass after another; the scores are there when all have been taken."""
        for inputs in self._inputs:
            outputs = self.network.last()(inputs)
            if self.network.reservation is not None:
                self._classes = self._classes + outputs.cpu().double().softmax(dim=1)[:, :-1].numpy()
            if self.network.confidnet is not None:
                confidence = self.network.confidnet(
                    inputs if self._confidnet_inputs is None else next(self._confidnet_inputs)
                )
                self._confidence = self._confidence + confidence.cpu().double().numpy()
            yield outputs[:, : len(self.network.card.classes)]

    def scores(self) -> dict[str, Floats]:
        """Name → (B,) score, 0 to 1; empty for most networks."""
        means = {}
        if self.network.reservation is not None:
            means["dg_mcd_msr"] = self._classes.max(axis=1) / self.count
        if self.network.confidnet is not None:
            means["mcd_confidnet"] = self._confidence / self.count
        return means
