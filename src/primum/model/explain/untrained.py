"""The same architecture without what it learned: a map worth anything must differ from its maps."""

from __future__ import annotations

import torch

from primum.model import weights
from primum.model.backbone import Network

SEED = 9_999  # no training is likely to have begun there


def untrained(network: Network, seed: int = SEED) -> Network:
    """A network of the same card with random weights, on the same device, in eval mode.

    The check that randomises the parameters (Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018),
    all layers at once.
    """
    card = network.card
    transform = card.transform
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        twin = Network(card, weights.trunk(card.name, False, transform.image_size, len(transform.mean)))
    return twin.eval().to(network.mean.device)
