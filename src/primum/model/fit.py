"""The part of training that is Lightning's: steps, epochs, checkpoints, logs."""

from __future__ import annotations

import copy
import logging
import math
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from primum.core import files
from primum.core.arrays import Floats, Integers
from primum.core.check import InputError
from primum.model import need

need("lightning", "tensorboard")

from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import (  # noqa: E402
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger  # noqa: E402

from primum.model.batches import Batch  # noqa: E402
from primum.model.images import augment  # noqa: E402
from primum.model.losses import RiskCalibratedLoss  # noqa: E402
from primum.model.recipe import Training  # noqa: E402
from primum.model.weights import unpickled  # noqa: E402

if TYPE_CHECKING:
    from primum.model.regression import Regression


ANEW = "train anew into another folder, without --resume"


class Bar(RichProgressBar):
    """Lightning's bar without the version of the log."""

    def get_metrics(self, *of: Any) -> dict[str, Any]:
        return {name: value for name, value in super().get_metrics(*of).items() if name != "v_num"}


class JudgedFrom(Callback):
    """Epochs before ``first`` are neither kept nor counted against patience: judging begins with that one.

    Args:
        judges: the callbacks that keep and stop.
    """

    def __init__(self, first: int, judges: list[Callback]) -> None:
        self.first, self.judges = first, judges
        self.fresh = [copy.deepcopy(judge.state_dict()) for judge in judges]

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.current_epoch <= self.first:
            # A copy each time: the callbacks go on to change the state they are given.
            for judge, state in zip(self.judges, self.fresh, strict=True):
                judge.load_state_dict(copy.deepcopy(state))


class Fit(LightningModule):
    """Trains ``part`` (inputs → outputs): a whole network on images, or its last layer on features.

    Outputs are logits; a reservation may stand behind those of the classes, which no answer reads.

    Args:
        part: module to train.
        prepare: normalises uint8 images (B, 3, S, S); features pass it by.
        loss: ``loss(logits (B, K), labels (B,)) -> ()``; also given the risk (B,) where the batches have one.
            With a ``confusion`` it observes the second of the loaders that follow an epoch; one that changes
            with time is told each epoch by ``begin(epoch)``, and is not judged in the first ``pretraining``.
        classes: K.
        cost: (K, K) cost of each mistake for ``val_cost``, or None.
        training: the recipe's.
        steps: optimiser steps of the whole training, for the cosine.
        seed: decides augmentation and dropout of every step.
    """

    def __init__(
        self,
        part: nn.Module,
        prepare: Callable[[Tensor], Tensor],
        loss: nn.Module,
        *,
        classes: int,
        cost: Floats | None,
        training: Training,
        steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.part = part
        self.prepare, self.loss, self.cost = prepare, loss, cost
        self.classes, self.settings, self.steps, self.seed = classes, training, steps, seed
        self.first = int(getattr(loss, "pretraining", 0))
        self.answers: list[Batch] = []
        self.observed: list[Batch] = []

    def on_train_epoch_start(self) -> None:
        if begin := getattr(self.loss, "begin", None):
            begin(self.current_epoch)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Each step seeds itself, so a resumed training draws what an uninterrupted one would have drawn.
        torch.manual_seed(self.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        inputs, labels, *risk = batch
        if inputs.dtype == torch.uint8:
            inputs = self.prepare(augment(inputs)).contiguous(memory_format=torch.channels_last)
        loss: Tensor = self.loss(self.part(inputs).float(), labels, *risk)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        inputs, *targets = batch
        if inputs.dtype == torch.uint8:
            inputs = self.prepare(inputs).contiguous(memory_format=torch.channels_last)
        outputs = self.observed if dataloader_idx else self.answers
        outputs.append((self.part(inputs).float(), *targets))

    def on_validation_epoch_end(self) -> None:
        if self.observed:  # before validation, which judges by the loss of the next epoch
            outputs, true = (torch.cat(part) for part in list(zip(*self.observed, strict=True))[:2])
            self.observed.clear()
            assert isinstance(self.loss, RiskCalibratedLoss)
            assert self.loss.confusion is not None
            self.loss.confusion.observe(outputs, true)
        logits, labels, *risk = (torch.cat(part) for part in zip(*self.answers, strict=True))
        self.answers.clear()
        self.log("val_loss", self.loss(logits, labels, *risk), prog_bar=True)
        predicted = logits[:, : self.classes].argmax(dim=1).cpu().numpy()
        for name, value in scores(predicted, labels.cpu().numpy(), self.cost).items():
            self.log(name, value, prog_bar=True)

    def configure_optimizers(self) -> Any:
        # Shrinking biases and the scales of normalisation would change what a unit stands for, not tame it.
        decayed = [value for value in self.part.parameters() if value.ndim > 1]
        free = [value for value in self.part.parameters() if value.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.settings.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=self.settings.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(step, self.steps) / self.steps))
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def scores(predicted: Integers, labels: Integers, cost: Floats | None) -> dict[str, float]:
    """``val_balanced_accuracy``, mean recall of the classes present; with costs ``val_cost``, their mean.

    >>> scores(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([[0.0, 1.0], [10.0, 0.0]]))
    {'val_balanced_accuracy': 0.75, 'val_cost': 3.3333333333333335}
    """
    recalls = [float((predicted[labels == k] == k).mean()) for k in np.unique(labels)]
    figures = {"val_balanced_accuracy": float(np.mean(recalls))}
    if cost is not None:
        figures["val_cost"] = float(cost[labels, predicted].mean())
    return figures


def fit(
    module: Fit | Regression,
    train: DataLoader[Batch],
    after: list[DataLoader[Batch]],
    out: Path,
    *,
    precision: str,
    resume: bool,
    progress: bool,
    stage: str = "",
) -> int:
    """Train until the recipe's epochs or its patience are over, leave the best weights in ``module.part``.

    ``after`` are the batches that follow each epoch: for validation and, for a loss that observes confusions,
    of the training rows held out for it.

    Checkpoints go to ``out/checkpoints``, logs to ``out/log/part-1`` (``part-2`` after the first resume);
    those of a later ``stage`` to ``out/checkpoints/STAGE`` and ``out/log/STAGE-1``. Epochs before
    ``module.first`` are trained but not judged.

    Returns:
        The number of epochs run, those before a resume included.

    Raises:
        InputError: when the monitored figure was never finite.
        CheckpointError: when the checkpoint to resume from is damaged, or holds what could run code.
        KeyboardInterrupt: passed on after Lightning has let go of its files.
    """
    settings, folder = module.settings, out.resolve() / "checkpoints" / stage
    over = folder / "epochs.txt"  # written when training is over, so that a resume does not add an epoch
    if (
        resume
        and over.exists()
        and (epochs_text := over.read_text(encoding="utf-8", errors="replace")).isdecimal()
    ):
        _take_best(module, folder)
        return int(epochs_text)
    mode = "max" if settings.monitor == "val_balanced_accuracy" else "min"
    checkpoints = ModelCheckpoint(
        folder, "best", monitor=settings.monitor, mode=mode, save_last=True, enable_version_counter=False
    )
    callbacks: list[Callback] = [
        checkpoints,
        EarlyStopping(settings.monitor, patience=settings.patience, mode=mode),
    ]
    callbacks.append(JudgedFrom(module.first, callbacks[:2]))
    if progress:
        callbacks.append(Bar(refresh_rate=5))
    named = stage or "part"
    part = f"{named}-{len(list(out.glob(f'log/{named}-[0-9]*'))) + 1}"
    last = folder / "last.ckpt" if resume and (folder / "last.ckpt").exists() else None
    if last is not None:
        unpickled(last, ANEW)  # refuses in a sentence what Lightning below would refuse in a page
    with _quiet():
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            precision=precision,  # type: ignore[arg-type]
            max_epochs=settings.epochs,
            callbacks=callbacks,
            logger=[CSVLogger(out, "log", part), TensorBoardLogger(out, "log", part)],
            log_every_n_steps=max(1, min(50, len(train))),
            gradient_clip_val=1.0,
            num_sanity_val_steps=0,
            enable_model_summary=False,
            enable_progress_bar=progress,
            use_distributed_sampler=False,
        )
        try:
            trainer.fit(module, train, after, ckpt_path=last, weights_only=True)
        except SystemExit:  # Lightning turns Ctrl-C into an exit
            raise KeyboardInterrupt from None
        epochs = int(trainer.current_epoch)
    if checkpoints.best_model_score is None or not math.isfinite(checkpoints.best_model_score):
        raise InputError(
            f"{out}: {stage or 'training'} diverged, {settings.monitor} was never finite; lower learning_rate"
        )
    _take_best(module, folder)
    with files.whole(over) as draft:
        draft.write_text(str(epochs))
    return epochs


def _take_best(module: Fit | Regression, folder: Path) -> None:
    best = unpickled(folder / "best.ckpt", ANEW)["state_dict"]
    weights = {key[5:]: value for key, value in best.items() if key.startswith("part.")}
    module.part.cpu().load_state_dict(weights)


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning without its tips and hints; the handling of Ctrl-C as it was before."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        signal.signal(signal.SIGINT, interrupt)
