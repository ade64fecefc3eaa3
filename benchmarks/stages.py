"""What it costs to see every stage of a network beside its embedding."""

from __future__ import annotations

import statistics
import time

IMAGES, SIDE, REPEATS = 16, 224, 15


def stages() -> list[tuple[str, str, str, str, str]]:
    """Features of made images with and without stages, decoding aside.

    The two take turns, and seconds of this process alone are counted: what else the machine does hits both.
    """
    import torch

    from primum.model import backbone, features

    on = features.device()
    clock = time.process_time if on.type == "cpu" else time.perf_counter
    network = backbone.build("tf_efficientnet_lite0", ("a", "b"), image_size=SIDE).eval().to(on)
    network = network.to(memory_format=torch.channels_last)
    pixels = torch.randint(0, 256, (IMAGES, 3, SIDE, SIDE), dtype=torch.uint8, device=on)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with torch.inference_mode():
        for turn in range(-2, REPEATS):  # two that do not count
            for observed in (True, False) if turn % 2 else (False, True):
                embedder = features.observe_batch if observed else features.embed_batch
                start = clock()
                embedder(network, pixels).cpu()
                if turn >= 0:
                    seconds[observed].append(clock() - start)
    with_stages, without = (statistics.median(seconds[observed]) for observed in (True, False))
    what = f"features of stages, Lite0, {SIDE} px, {IMAGES} images, {on}"
    against = f"embeddings alone, {without:.2f} s"
    return [(what, f"{with_stages:.2f} s", against, f"{with_stages / without:.3f} ×", "≤ 1.05 ×")]


if __name__ == "__main__":
    print(stages())
