"""Maps of a whole batch against a loop over single images with the same library."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.timing import median

HELD = (("resnet18", 64), ("mobilenetv3_small_050", 64))  # the phantom's network, and a smaller one
NETWORKS = (*HELD, ("tf_efficientnet_lite0", 128), ("vit_tiny_patch16_224", 224))
IMAGES = 32


def maps() -> list[tuple[str, str, str, str, str]]:
    """Grad-CAM maps per second, batched, and one by one as torchcam's manual has it.

    A loop wastes what a call costs and leaves most of an accelerator idle. A single core that multiplies all
    the time has less to gain: there only the small networks are held to the limit.
    """
    import torch

    from primum.model import backbone, features
    from primum.model.explain.layers import last_spatial

    rows = []
    for name, side in NETWORKS:
        torch.manual_seed(0)
        on = features.device()
        network = backbone.build(name, ("a", "b", "c"), image_size=side).eval().to(on)
        images = torch.rand(IMAGES, 3, side, side, device=on)
        layer = last_spatial(network)

        loop, whole = partial(one_by_one, network, layer, images), partial(batched, network, layer, images)
        theirs, ours = IMAGES / median(loop, 3), IMAGES / median(whole, 3)
        what = f"Grad-CAM, {name}, {side} px"
        limit = "≥ 3 ×" if on.type == "cuda" or (name, side) in HELD else ""
        rows.append((what, f"{ours:.0f} maps/s", "torchcam, one by one", f"{ours / theirs:.1f} ×", limit))
    return rows


def batched(network: Any, layer: Any, images: Any) -> None:
    """All maps at once."""
    from primum.model.explain.maps import looking

    with looking(network, layer) as look:
        look(images, [0] * len(images))[0].cpu()


def one_by_one(network: Any, layer: Any, images: Any) -> None:
    """The loop of the library's manual."""
    from torchcam.methods import GradCAM

    with GradCAM(network, layer.name, reshape_transform=layer.reshape) as extractor:
        for image in images:
            extractor(0, network(image[None]))[0].cpu()


if __name__ == "__main__":
    for row in maps():
        print(*row, sep=" | ")
