"""Training a ConfidNet beside a finished network, in two stages (``docs/methods.md#confidence-scores``)."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from primum.model import need
from primum.model.backbone import Network
from primum.model.batches import Batch
from primum.model.confidnet import ConfidNet, true_class
from primum.model.images import augment
from primum.model.passes import Dropping, unfused
from primum.model.recipe import Recipe, Training

need("lightning", "tensorboard")

from lightning.pytorch import LightningModule  # noqa: E402

from primum.model.fit import fit  # noqa: E402


class Regression(LightningModule):
    """Trains ``part`` to tell the probability that a finished network gives the true class, by squared error.

    Without a trunk of its own (stage 1) it reads what the network's last layer sees, with the network's
    dropout on, as in its training. With one (stage 2) dropout is off. Normalisation layers stay in eval mode
    in both, the network itself is never changed, and validation is without dropout.

    Args:
        part: the ConfidNet. network: the finished network.
        settings: epochs and learning rate of the stage. seed: decides augmentation and dropout of every step.
    """

    first = 0

    def __init__(self, part: ConfidNet, network: Network, settings: Training, seed: int) -> None:
        super().__init__()
        self.part, self.settings, self.seed = part, settings, seed
        self.asked = (network,)  # not a part of what is trained and stored
        self.errors: list[Tensor] = []

    def on_fit_start(self) -> None:
        self.asked[0].eval().to(self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        torch.manual_seed(self.seed * 1_000_003 + self.global_step)
        self.part.eval()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        inputs, labels = batch[:2]
        augmented = augment(inputs) if inputs.dtype == torch.uint8 else inputs
        if self.part.trunk is None:
            with unfused(self.asked[0].trunk), Dropping(len(augmented), self.seed, self.global_step):
                loss = self._errors(augmented, labels).mean()
        else:
            loss = self._errors(augmented, labels).mean()
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.errors.append(self._errors(*batch[:2]))

    def on_validation_epoch_end(self) -> None:
        self.log("val_loss", torch.cat(self.errors).mean(), prog_bar=True)
        self.errors.clear()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.part.parameters(), lr=self.settings.learning_rate)

    def _errors(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """(B,) squared errors for images (B, C, S, S), or features (B, D) of the network's trunk."""
        network = self.asked[0]
        images = inputs.ndim == 4
        if images:
            inputs = network.prepare(inputs).contiguous(memory_format=torch.channels_last)
        # Its target is the finished network's answer under the same masks, which no gradient may move.
        with torch.no_grad():
            head_inputs = network.dropout(network.embed(inputs).float() if images else inputs)
            target = true_class(network.head(head_inputs).float(), labels)
        if self.part.trunk is not None:
            head_inputs = self.part.trunk(inputs).float()
        return functional.mse_loss(self.part(head_inputs).float(), target, reduction="none")


def regress(
    recipe: Recipe,
    network: Network,
    train: DataLoader[Batch],
    val: DataLoader[Batch],
    *,
    precision: str,
    folder: Path,
    resume: bool,
    progress: bool,
) -> None:
    """Train the recipe's ConfidNet and leave it in ``network.confidnet``.

    Args:
        recipe: with a section ``confidnet``.
        network: finished; nothing else of it changes.
        train, val: batches of images or of stored features.
        precision: of both stages.
        folder: of the run. resume: go on from the last whole epoch.

    Raises:
        InputError: when a stage diverged.
    """
    settings_of_stages = recipe.confidnet
    assert settings_of_stages is not None
    torch.manual_seed(recipe.seed)
    confidnet = ConfidNet(network.head.in_features)
    stages = [("confidnet", settings_of_stages.epochs, settings_of_stages.learning_rate)]
    if settings_of_stages.finetune_epochs:
        stages.append(
            (
                "confidnet-finetuned",
                settings_of_stages.finetune_epochs,
                settings_of_stages.finetune_learning_rate,
            )
        )
    for stage, epochs, learning_rate in stages:
        if stage == "confidnet-finetuned":
            confidnet.trunk = copy.deepcopy(network.cpu().trunk)
        changes = {"epochs": epochs, "patience": epochs, "learning_rate": learning_rate}
        settings = recipe.training.model_copy(update={**changes, "monitor": "val_loss"})
        module = Regression(confidnet, network, settings, recipe.seed)
        fit(module, train, [val], folder, precision=precision, resume=resume, progress=progress, stage=stage)
    network.cpu().confidnet = confidnet
