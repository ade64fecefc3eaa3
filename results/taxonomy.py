"""Write ``results/taxonomy.md``: are the kinds of failure told apart where they were put in on purpose?

python results/taxonomy.py RUNS > results/taxonomy.md

Trains two members a seed into the folder RUNS, or takes up what is finished there.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from primum import tables
from primum.data import sets
from primum.data.sets import phantom_failures
from primum.judge.failures.evidence import AMBIGUITY, BLINDNESS, CATEGORIES, NOISE, SPURIOUS, UNDETERMINED
from primum.judge.failures.taxonomy import Taxonomy, taxonomy
from primum.judge.failures.words import NAMES
from primum.judge.recalibration import recalibrate
from primum.judge.statistics.shares import share as share_of
from primum.model.predict import predict
from primum.model.recipe import Recipe
from primum.model.train import train
from primum.predictions import Predictions

DEVELOPMENT, EVALUATION = (100, 0), (1, 2, 3)
NETWORK, WEAKER = "taxonomy.yaml", "taxonomy-frozen.yaml"
MEMBERS = 2
CLEAR_POSTERIOR = 0.8
COLUMNS = ("marker", "site")
Bools = NDArray[np.bool_]

HEAD = """# Failure taxonomy: are the kinds told apart?

`python results/taxonomy.py RUNS > results/taxonomy.md`

Made lesions (`phantom_failures`): 5 % of labels flipped in every split; a ruler on 70 % of malignant and 15 %
of benign images outside test, on 40 % of all in test; 40 % of the melanomas in test, and none elsewhere, are
lighter than their skin. Per seed the network of `results/taxonomy.yaml` is trained twice on other random
numbers: the first is judged, both are the members. Probabilities are recalibrated on the cal split;
embeddings are what the last layer sees; the columns tested are `marker` and `site`, which matters to no
diagnosis. Lesion maps were not used: the evidence `off_lesion` is not validated here.

## What counts as true

Written down before any seed but 100 was judged. A failure may have several causes, and naming
any of them is right; for a failure that has none of them every name is wrong.

- *annotation noise*: the label was flipped. Read more narrowly, the answer must also be the true class; the
  precision of that reading stands in the last column.
- *clinical ambiguity*: the label was not flipped, and its exact posterior is below 0.8: a reader who knew the
  lesion's measurements exactly would doubt the label in one case of five, or miss it.
- *model blindness*: the case has the look that training never showed, and is not annotation noise in the
  narrow reading.
- *spurious feature*: the same image with the ruler toggled, all other pixels equal, is answered with the
  label.

The rule that names (score ≥ 0.65, ahead by ≥ 0.15) and the form of every score were chosen on seeds
{development} alone. Seed 0 was meant to be judged once like the later ones; the rule of that day (0.6, votes
of members for ambiguity, nothing taken off it) named 194 of its failures, 162 rightly (0.84), but clinical
ambiguity rightly in 66 of 93 (0.71) only. So it became a development seed, and the rule was changed and fixed
before seeds {evaluation} were judged.

Intervals are exact (95 %), on cases over the design effect of patients.
"""


def members(seed: int, folder: Path, recipe: Recipe) -> list[Path]:
    """Run folders of the members of a seed, trained where they are not there yet."""
    found = []
    for number in range(MEMBERS):
        out = folder / recipe.name / f"seed-{seed}" / f"member-{number}"
        asked = recipe.model_copy(
            update={"data": recipe.data.model_copy(update={"seed": seed}), "seed": number}
        )
        print(out, file=sys.stderr)
        found.append(train(asked, out, resume=(out / "recipe.yaml").exists(), progress=False))
    return found


def answered(run: Path, seed: int) -> tuple[Predictions, NDArray[np.float64], NDArray[np.int64], Predictions]:
    """Test rows, their calibrated probabilities, the answers with the ruler toggled, and the train rows."""
    test, cal, rows = (
        tables.read(run / "predictions" / f"{name}.parquet") for name in ("test", "cal", "train")
    )
    best = recalibrate.choose(cal.logits, cal.labels, np.unique(cal.patients, return_inverse=True)[1], 0)
    calibrated = best.fitted[best.best]
    stored = run / "predictions" / "twins.parquet"
    if not stored.exists():
        table = sets.load("phantom_failures", None, seed)
        without = phantom_failures.pixels(table, seed, ~table.cases["marker"].to_numpy())
        tables.write(predict(run, replace(table, pixels=without).split("test"), progress=False), stored)
    twins = calibrated(tables.read(stored).logits).argmax(axis=1)
    return test, calibrated(test.logits), twins, rows


def causes(test: Predictions, predicted: NDArray[np.int64], twins: NDArray[np.int64]) -> dict[str, Bools]:
    """Category → (N,) whether it is a true cause, by the definitions above; and the narrower noise."""
    true = np.array([test.classes.index(name) for name in test.metadata["true_label"]])
    posterior = test.metadata.select(f"posterior_{name}" for name in test.classes).to_numpy()
    flipped = test.metadata["label_noise"].to_numpy()
    narrow = flipped & (predicted == true)
    return {
        AMBIGUITY: ~flipped & (posterior[np.arange(len(true)), test.labels] < CLEAR_POSTERIOR),
        NOISE: flipped,
        BLINDNESS: test.metadata["pale"].to_numpy() & ~narrow,
        SPURIOUS: twins == test.labels,
        "narrow": narrow,
    }


def one(seed: int, folder: Path, recipe: Recipe) -> tuple[Taxonomy, dict[str, Bools], NDArray[np.int64]]:
    """The taxonomy of one seed's failures, their true causes, and their patients."""
    runs = members(seed, folder, recipe)
    judged = [answered(run, seed) for run in runs]
    test, probs, twins, rows = judged[0]
    patients = np.unique(test.patients, return_inverse=True)[1]
    predicted = probs.argmax(axis=1)
    found = taxonomy(
        test.labels, predicted, probs, clusters=patients, embeddings=test.embeddings,
        train_embeddings=rows.embeddings, train_labels=rows.labels,
        members=np.stack([other[1] for other in judged]),
        columns={name: test.metadata[name].to_list() for name in COLUMNS},
    )  # fmt: skip
    truth = {name: at[found.rows] for name, at in causes(test, predicted, twins).items()}
    return found, truth, patients[found.rows] + 10_000 * seed


def share(hits: Bools, patients: NDArray[np.int64]) -> str:
    """``0.83 (0.70 to 0.92), 33 of 40``."""
    if not len(hits):
        return "–, none"
    part = share_of(hits, patients)
    return f"{part.value:.2f} ({part.low:.2f} to {part.high:.2f}), {int(hits.sum())} of {len(hits)}"


def table(category: NDArray[np.str_], truth: Mapping[str, Bools], patients: NDArray[np.int64]) -> list[str]:
    """Precision and recall of each name; and of all names together."""
    causes = np.stack([truth[name] for name in CATEGORIES])
    alone = causes.sum(axis=0) == 1
    lines = [
        "| kind | true | precision where named | recall | recall where the only cause | note |",
        "|---|---|---|---|---|---|",
    ]
    for name in CATEGORIES:
        said, true = category == name, truth[name]
        note = f"narrower: {share(truth['narrow'][said], patients[said])}" if name == NOISE else ""
        cells = [share(true[said], patients[said]), share(said[true], patients[true])]
        cells.append(share(said[true & alone], patients[true & alone]))
        lines.append(f"| {NAMES[name]} | {int(true.sum())} | " + " | ".join(cells) + f" | {note} |")
    named = category != UNDETERMINED
    right = np.any([(category == name) & truth[name] for name in CATEGORIES], axis=0)
    none = ~causes.any(axis=0)
    lines.append(
        f"| **any name** | {len(category)} | **{share(right[named], patients[named])}** | named: "
        f"{share(named, patients)} | | {int(none.sum())} failures have none of the causes, "
        f"{int((none & named).sum())} of them named |"
    )
    return lines


def confusion(category: NDArray[np.str_], truth: Mapping[str, Bools]) -> list[str]:
    """What failures of each single cause were named."""
    names = (*CATEGORIES, UNDETERMINED)
    causes = np.stack([truth[name] for name in CATEGORIES])
    lines = ["| only true cause | " + " | ".join(NAMES[name] for name in names) + " |", "|---" * 6 + "|"]
    for number, name in enumerate(CATEGORIES):
        rows = causes[number] & (causes.sum(axis=0) == 1)
        counts = " | ".join(str(int((category[rows] == said).sum())) for said in names)
        lines.append(f"| {NAMES[name]} | {counts} |")
    for said, rows in (("several", causes.sum(axis=0) > 1), ("none", ~causes.any(axis=0))):
        counts = " | ".join(str(int((category[rows] == name).sum())) for name in names)
        lines.append(f"| {said} | {counts} |")
    return lines


def main(folder: Path) -> None:
    """Train what is missing and print the page."""
    recipe, weaker = (Recipe.read(Path(__file__).with_name(name)) for name in (NETWORK, WEAKER))
    results = {seed: one(seed, folder, recipe) for seed in (*DEVELOPMENT, *EVALUATION)}
    others = {seed: one(seed, folder, weaker) for seed in EVALUATION}
    said = {"development": " and ".join(map(str, DEVELOPMENT)), "evaluation": ", ".join(map(str, EVALUATION))}
    print(HEAD.format(**said))
    print(f"Python {platform.python_version()}, 2 processor cores. Each cell: share (interval), count.\n")
    print(f"## Seeds {said['evaluation']} together, used to choose nothing\n")
    category, truth, patients = together(results)
    print("\n".join([*table(category, truth, patients), "", *confusion(category, truth)]))
    print("\n## The same seeds with a weaker network, used to choose nothing\n")
    print(f"`results/{WEAKER}`: ImageNet features as they are, only the last layer trained. Its two members")
    print("share the features, so they hardly differ.\n")
    print("\n".join(table(*together(others))))
    for seed in EVALUATION:
        found, true, who = results[seed]
        print(f"\n## Seed {seed}\n\n" + "\n".join(table(found.category, true, who)))
        print("\nColumns that answers follow: " + pulled(found))
    for seed in DEVELOPMENT:
        found, true, who = results[seed]
        print(f"\n## Seed {seed}, on which the rule was chosen\n")
        print("\n".join(table(found.category, true, who)))
    notes = Path(__file__).with_name("taxonomy-notes.md")
    if notes.exists():
        print("\n" + notes.read_text(encoding="utf-8").strip())


def together(
    results: Mapping[int, tuple[Taxonomy, dict[str, Bools], NDArray[np.int64]]],
) -> tuple[NDArray[np.str_], dict[str, Bools], NDArray[np.int64]]:
    """Names, true causes and patients of the evaluation seeds, one after the other."""
    parts = [results[seed] for seed in EVALUATION]
    truth = {name: np.concatenate([true[name] for _, true, _ in parts]) for name in parts[0][1]}
    return (
        np.concatenate([found.category for found, _, _ in parts]),
        truth,
        np.concatenate([p[2] for p in parts]),
    )


def pulled(found: Taxonomy) -> str:
    """``marker = True (p 1e-5)`` of every pull found."""
    said = [
        f"`{pull.column}` = {pull.value} towards class {pull.towards} (p = {pull.p:.0e})"
        for pull in found.pulls
    ]
    return "; ".join(said) + "." if said else "none."


if __name__ == "__main__":
    main(Path(sys.argv[1]))
