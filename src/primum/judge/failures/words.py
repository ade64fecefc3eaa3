"""The evidence on one failure as a sentence a clinician can check, and what to do about each kind."""

from __future__ import annotations

from collections.abc import Sequence

from primum.core import ties
from primum.judge.failures.evidence import AMBIGUITY, BLINDNESS, CATEGORIES, NOISE, SPURIOUS, UNDETERMINED
from primum.judge.failures.neighbours import NEIGHBOURS
from primum.judge.failures.taxonomy import Taxonomy

NAMES = {
    AMBIGUITY: "clinical ambiguity",
    NOISE: "annotation noise",
    BLINDNESS: "model blindness",
    SPURIOUS: "spurious feature",
    UNDETERMINED: "undetermined",
}
ADVICE = {
    AMBIGUITY: "Ask a second reader, and let the model defer such pictures; training alone will hardly help.",
    NOISE: "Have the label read again by someone who does not see the answer, and trust that reading.",
    BLINDNESS: "Collect such cases for training; until then, send what looks like them to a reader.",
    SPURIOUS: "Remove the marker, or balance it over the classes in training, and test the answers again.",
    UNDETERMINED: "Look at the picture: the evidence at hand does not tell the kinds apart.",
}


def sentence(found: Taxonomy, failure: int, classes: Sequence[str]) -> str:
    """What speaks for the category of the failure of that number (0 to F − 1), in one sentence."""
    kind = str(found.category[failure])
    if kind == UNDETERMINED:
        ranked = sorted(CATEGORIES, key=lambda name: -found.scores[name][failure])[:2]
        first, second = (f"{NAMES[name]} {found.scores[name][failure]:.2f}" for name in ranked)
        return f"No kind stands out: {first}, {second} of 1."
    parts = {AMBIGUITY: _ambiguity, NOISE: _noise, BLINDNESS: _blindness, SPURIOUS: _spurious}
    said = parts[kind](found, failure, classes)
    return (", and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]) + "."


def _ambiguity(found: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    return [_odds(found, failure, classes), *_members(found, failure), *_alike(found, failure, classes)]


def _noise(found: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    said = [_odds(found, failure, classes), *_members(found, failure), *_alike(found, failure, classes)]
    learned = found.score("confident_learning")
    flagged = learned is not None and learned[failure] > 0
    return [*said, "confident learning counts the label as an error"] if flagged else said


def _blindness(found: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    around, said = found.judged.around, [_odds(found, failure, classes)]
    if around is not None and around.far is not None and around.far[failure] >= 0.5:
        share = "more than 99%" if around.far[failure] > 0.99 else f"{around.far[failure]:.0%}"
        said.append(f"{share} of right answers lie nearer to the training cases")
    if around is not None and around.trained is not None and around.pocket[failure] > 0:
        label = classes[found.judged.labels[found.rows[failure]]]
        missed = round(around.pocket[failure] * NEIGHBOURS)
        trained = round(around.trained[failure, found.judged.labels[found.rows[failure]]] * NEIGHBOURS)
        said.append(
            f"{missed} of the {NEIGHBOURS} most alike cases here are {label} and were missed too, "
            f"while {trained} of the {NEIGHBOURS} most alike training cases are {label}"
        )
    return said


def _spurious(found: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    said, energy = [], found.judged.energy
    if found.which[failure] >= 0:
        pull, score = found.pulls[found.which[failure]], found.score("tied_to_column")
        assert score is not None
        said.append(
            f"it carries {pull.column} = {pull.value}, which draws {100 * pull.excess:.0f} more of 100 cases "
            f"of the same true class to {classes[pull.towards]}"
        )
        said.append(f"with that pull taken off, the label would beat the answer at {score[failure]:.0%}")
    if energy is not None and found.score("off_lesion") is not None:
        said.append(f"{energy[found.rows[failure]]:.0%} of the map lies on the lesion")
    return said


def _odds(found: Taxonomy, failure: int, classes: Sequence[str]) -> str:
    row = found.rows[failure]
    label, answer = found.judged.labels[row], found.judged.predicted[row]
    p = found.judged.probs[row]
    return f"the model gave {classes[answer]} {p[answer]:.0%} and the label {classes[label]} {p[label]:.0%}"


def _members(found: Taxonomy, failure: int) -> list[str]:
    if found.judged.members is None:
        return []
    row = found.rows[failure]
    votes = ties.first_largest(found.judged.members[:, row])
    agreed = int((votes == found.judged.predicted[row]).sum())
    return [f"{agreed} of {len(votes)} models {'gives' if agreed == 1 else 'give'} that answer"]


def _alike(found: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    around = found.judged.around
    if around is None:
        return []
    row = found.rows[failure]
    label, answer = found.judged.labels[row], found.judged.predicted[row]
    shares, where = (around.judged, "") if around.trained is None else (around.trained, "training ")
    mine, other = (round(shares[failure, k] * NEIGHBOURS) for k in (label, answer))
    return [
        f"of the {NEIGHBOURS} most alike {where}cases {mine} are {classes[label]} "
        f"and {other} {classes[answer]}"
    ]
