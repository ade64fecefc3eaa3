"""What each loss adds to a training step."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.timing import median
from primum import severity

BATCH, SIDE = 32, 224


def overhead() -> list[tuple[str, str, str, str, str]]:
    """Forward and backward of every loss at K = 7, as a share of a ResNet-50 step on this processor."""
    import timm
    import torch

    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 7, (BATCH,), generator=generator)
    images = torch.rand(BATCH, 3, SIDE, SIDE, generator=generator).contiguous(
        memory_format=torch.channels_last
    )
    network = timm.create_model("resnet50", num_classes=7).to(memory_format=torch.channels_last)

    def step() -> None:
        network.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()

    step_seconds = median(step, 3)
    logits = torch.randn(BATCH, 7, generator=generator).requires_grad_()
    risk = torch.rand(BATCH, generator=generator) + 0.5
    rows = []
    for name, (loss, factors) in losses(risk).items():
        loss_seconds = median(partial(once, loss, logits, labels, *factors), 201)
        share = f"{100 * loss_seconds / step_seconds:.4f} %"
        rows.append(
            (
                f"loss {name}",
                f"{1e6 * loss_seconds:.0f} µs",
                f"ResNet-50 step, {step_seconds:.1f} s",
                share,
                "≤ 2 %",
            )
        )
    return rows


def once(loss: Any, *arguments: Any) -> None:
    """Forward and backward."""
    loss(*arguments).backward()


def losses(risk: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Name → loss for the seven classes of ISIC 2018 and what it is given beside logits and labels."""
    from primum.model import losses as modules

    matrix = severity.read("isic2018")
    counts = [1113, 6705, 514, 327, 1099, 115, 142]
    focal = modules.FocalLoss()
    return {
        "cross-entropy": (modules.CrossEntropyLoss(), []),
        "class-weighted": (modules.ClassWeightedLoss(counts), []),
        "focal": (focal, []),
        "label smoothing": (modules.LabelSmoothingLoss(), []),
        "risk-calibrated, expected": (modules.RiskCalibratedLoss(matrix), []),
        "… with per-case risk": (modules.RiskCalibratedLoss(matrix), [risk]),
        "… weighted, over focal": (modules.RiskCalibratedLoss(matrix, form="weighted", base=focal), []),
        "… confusion": (modules.RiskCalibratedLoss(matrix, form="confusion"), []),
        "hierarchical": (modules.HierarchicalLoss(matrix), []),
        "logit-adjusted": (modules.LogitAdjustedLoss(matrix), []),
    }
