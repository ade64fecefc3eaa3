"""What the novelty score of a veto was chosen on: validation images of HAM10000 and corrupted copies.

python results/two-questions/choice.py BENCH/ham10000 DATA > results/two-questions/choice.md
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from primum.core.arrays import Singles
from primum.data import sets as data
from primum.judge.confidence.multilayer import fit_multilayer, fit_profile
from primum.judge.deferral.veto import RATE, gate, minima
from primum.model import backbone, features, stages
from primum.model.images import Images

RUN = "runs/ham10000/lite0/whole/cross-entropy/seed-0"
SHIFTS = (
    ("brightness_down", 3), ("brightness_down", 5), ("elastic", 3), ("elastic", 5), ("gaussian_noise", 1),
    ("gaussian_noise", 3), ("motion_blur", 3), ("motion_blur", 5),
)  # fmt: skip


def main() -> None:
    """Share of a third of the validation images vetoed at 5 %, by a veto set on the other two thirds."""
    bench, root = Path(sys.argv[1]), Path(sys.argv[2])
    network = backbone.load(bench / RUN)
    table = data.load("ham10000_malignancy", root, 0)
    transform = network.card.transform
    stored = np.asarray(features.cached(network, Images(table, transform), bench / ".features"))
    split = table.cases["split"].to_numpy()
    val = np.flatnonzero(split == "val")
    asked, setting = val[::3], np.setdiff1d(val, val[::3])

    def seen(rows: Singles) -> tuple[Singles, ...]:
        parts = stages.split(rows, network.width, network.stages)
        assert parts is not None
        return parts

    train = seen(stored[split == "train"])
    summed = fit_multilayer(train)
    scores = {"multilayer": summed, "stage_profile": fit_profile(summed, train)}
    patients = table.cases["patient"].to_numpy()[setting]
    gates = {name: gate(minima(score(seen(stored[setting])), patients)) for name, score in scores.items()}
    shifts = {"as they are": stored[asked]}
    images = table.take(asked)
    for name, level in SHIFTS:
        changed = Images(images.shifted(name, level), transform, (name, level))
        shifts[f"{name} {level}"] = features.embed(network, changed, np.arange(len(images)))
    print("# The choice of a novelty score\n")
    print("Made by `python results/two-questions/choice.py BENCH/ham10000 DATA`.\n")
    print(
        f"{len(asked)} of {len(val)} validation images of HAM10000, seed 0, by a veto at "
        f"{RATE:.0%} set on the others; z: deviations that each of the {len(network.stages)} stages lies "
        "from the training rows, on average.\n"
    )
    print("| images | vetoed by multilayer | vetoed by stage_profile | z of the stages |")
    print("|---|---:|---:|---|")
    for name, rows in shifts.items():
        shares = [1 - gates[each].passes(score(seen(rows))).mean() for each, score in scores.items()]
        profile = ", ".join(f"{z:.1f}" for z in summed.profile(seen(rows)).mean(axis=0))
        print(f"| {name} | " + " | ".join(f"{share:.0%}" for share in shares) + f" | {profile} |")


if __name__ == "__main__":
    main()
