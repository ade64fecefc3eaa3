"""Confidences that a network was trained to give: Deep Gamblers' reservation and ConfidNet (METHODS §4)."""

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
    """(N, D) embeddings, and (N, D) of the ConfidNet's own trunk, or None; every image is read once."""
    trunk = own_trunk(network)
    if trunk is None:
        return features.embed(network, images, rows, bar=bar), None

    def both(asked: Network, pixels: Tensor) -> Tensor:
        return torch.cat([features.one(asked, pixels), features.one(asked, pixels, trunk)], dim=1)

    found, own = np.split(features.embed(network, images, rows, bar=bar, ask=both), 2, axis=1)
    return found, own


def scores(network: Network, found: Singles, own: Singles | None = None) -> dict[str, Floats]:
    """Name → (N,) score, 0 to 1, of embeddings (N, D) without dropout; empty for most networks.

    ``dg`` is 1 − p_res, p_res what the softmax over K classes and the reservation puts on the reservation;
    ``confidnet`` the probability of the true class that ConfidNet expects.

    Args:
        network: on the CPU.
        found: its embeddings.
        own: those of the trunk of its ConfidNet, where that has one.
    """
    told: dict[str, list[Tensor]] = {}
    with torch.inference_mode():
        for start in range(0, len(found), AT_ONCE):
            part = torch.from_numpy(np.array(found[start : start + AT_ONCE], dtype=np.float32))
            if network.reservation is not None:
                outputs = network.last()(part)
                unreserved = (outputs[:, :-1].logsumexp(dim=1) - outputs[:, -1]).sigmoid()
                told.setdefault("dg", []).append(unreserved)
            if network.confidnet is not None:
                if network.confidnet.trunk is not None:
                    assert own is not None
                    part = torch.from_numpy(np.array(own[start : start + AT_ONCE], dtype=np.float32))
                told.setdefault("confidnet", []).append(network.confidnet(part))
    return {name: torch.cat(parts).double().numpy() for name, parts in told.items()}


class PassScores:
    """Means over dropout passes of one batch, pass by pass.

    ``dg_mcd_msr`` is the largest class probability of the mean softmax over K classes and the reservation;
    the one over the classes alone is ``mcd_msr``. ``mcd_confidnet`` is the mean of what ConfidNet says. All
    of a pass see the same dropout masks.

    Args:
        network, pixels, found, where, count, seed: as in :func:`~primum.model.passes.seen`.
        own: (B, D) embeddings of the ConfidNet's own trunk, or None.
    """

    def __init__(
        self,
        network: Network,
        pixels: Tensor,
        found: Tensor,
        own: Tensor | None,
        where: Places,
        count: int,
        seed: int,
    ) -> None:
        self.network, self.count = network, count
        self._seen = passes.seen(network, pixels, found, where, count, seed)
        trunk = own_trunk(network)
        self._own = None if own is None else passes.seen(network, pixels, own, where, count, seed, trunk)
        self._classes: Floats = np.zeros(())
        self._told: Floats = np.zeros(())

    def logits(self) -> Iterator[Tensor]:
        """(B, K) logits of one pass after another; the scores are there when all have been taken."""
        for seen in self._seen:
            outputs = self.network.last()(seen)
            if self.network.reservation is not None:
                self._classes = self._classes + outputs.cpu().double().softmax(dim=1)[:, :-1].numpy()
            if self.network.confidnet is not None:
                told = self.network.confidnet(seen if self._own is None else next(self._own))
                self._told = self._told + told.cpu().double().numpy()
            yield outputs[:, : len(self.network.card.classes)]

    def scores(self) -> dict[str, Floats]:
        """Name → (B,) score, 0 to 1; empty for most networks."""
        found = {}
        if self.network.reservation is not None:
            found["dg_mcd_msr"] = self._classes.max(axis=1) / self.count
        if self.network.confidnet is not None:
            found["mcd_confidnet"] = self._told / self.count
        return found
