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

    made = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 7, (BATCH,), generator=made)
    images = torch.rand(BATCH, 3, SIDE, SIDE, generator=made).contiguous(memory_format=torch.channels_last)
    network = timm.create_model("resnet50", num_classes=7).to(memory_format=torch.channels_last)

    def step() -> None:
        network.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()

    whole = median(step, 3)
    logits = torch.randn(BATCH, 7, generator=made).requires_grad_()
    risk = torch.rand(BATCH, generator=made) + 0.5
    rows = []
    for name, (loss, beside) in losses(risk).items():
        alone = median(partial(once, loss, logits, labels, *beside), 201)
        share = f"{100 * alone / whole:.4f} %"
        rows.append(
            (f"loss {name}", f"{1e6 * alone:.0f} µs", f"ResNet-50 step, {whole:.1f} s", share, "≤ 2 %")
        )
    return rows


def once(loss: Any, *given: Any) -> None:
    """Forward and backward."""
    loss(*given).backward()


def losses(risk: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Name → loss for the seven classes of ISIC 2018 and what it is given beside logits and labels."""
    from primum.model import losses as known

    matrix = severity.read("isic2018")
    counts = [1113, 6705, 514, 327, 1099, 115, 142]
    focal = known.FocalLoss()
    return {
        "cross-entropy": (known.CrossEntropyLoss(), []),
        "class-weighted": (known.ClassWeightedLoss(counts), []),
        "focal": (focal, []),
        "label smoothing": (known.LabelSmoothingLoss(), []),
        "risk-calibrated, expected": (known.RiskCalibratedLoss(matrix), []),
        "… with per-case risk": (known.RiskCalibratedLoss(matrix), [risk]),
        "… weighted, over focal": (known.RiskCalibratedLoss(matrix, form="weighted", base=focal), []),
        "… confusion": (known.RiskCalibratedLoss(matrix, form="confusion"), []),
        "hierarchical": (known.HierarchicalLoss(matrix), []),
        "logit-adjusted": (known.LogitAdjustedLoss(matrix), []),
    }
