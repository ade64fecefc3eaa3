"""Batches of features or images, in an order that seed and epoch decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from primum.core.arrays import Array, Integers, Singles

Inputs = Callable[[Integers], Tensor]
Batch = tuple[Tensor, ...]  # inputs, labels and, for a loss that takes one, the risk of each case


class Rows(Dataset[Batch]):
    """Chosen rows of something that gives a whole batch at once: features (B, D), or images (B, 3, S, S)."""

    def __init__(
        self,
        inputs: Inputs,
        labels: Integers,
        rows: Integers,
        risk: Singles | None = None,
    ) -> None:
        self.inputs, self.rows = inputs, rows
        self.beside: list[Array] = [labels] if risk is None else [labels, risk]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> Batch:
        at = self.rows[np.asarray(indices)]
        return self.inputs(at), *(torch.from_numpy(values[at]) for values in self.beside)


class Shuffled(Sampler[int]):
    """Another order each epoch, decided by seed and epoch alone, so a resumed run sees the same one.

    >>> order = Shuffled(4, seed=0)
    >>> order.set_epoch(3)
    >>> sorted(order), list(order) == list(order)
    ([0, 1, 2, 3], True)
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.seed, self.epoch = n, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        yield from np.random.default_rng([self.seed, self.epoch]).permutation(self.n).tolist()


def loader(data: Rows, batch_size: int, seed: int | None) -> DataLoader[Batch]:
    """Batches of ``data``, shuffled if a seed is given; an incomplete last batch is then left out."""
    order = None if seed is None else Shuffled(len(data), seed)
    # A last batch of one or two cases would make a step as long as any other, and BatchNorm refuses one.
    drop = seed is not None and len(data) > batch_size
    return DataLoader(data, batch_size, sampler=order, drop_last=drop, collate_fn=_as_is)


def _as_is(batch: object) -> object:
    return batch
