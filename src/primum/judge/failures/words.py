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


def sentence(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> str:
    """What speaks for the category of the failure of that number (0 to F − 1), in one sentence."""
    kind = str(sorting.category[failure])
    if kind == UNDETERMINED:
        ranked = sorted(CATEGORIES, key=lambda name: -sorting.scores[name][failure])[:2]
        first, second = (f"{NAMES[name]} {sorting.scores[name][failure]:.2f}" for name in ranked)
        return f"No kind stands out: {first}, {second} of 1."
    parts = {AMBIGUITY: _ambiguity, NOISE: _noise, BLINDNESS: _blindness, SPURIOUS: _spurious}
    clauses = parts[kind](sorting, failure, classes)
    return (", and ".join([", ".join(clauses[:-1]), clauses[-1]]) if len(clauses) > 1 else clauses[0]) + "."


def _ambiguity(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    return [
        _odds(sorting, failure, classes),
        *_members(sorting, failure),
        *_alike(sorting, failure, classes),
    ]


def _noise(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    clauses = [
        _odds(sorting, failure, classes),
        *_members(sorting, failure),
        *_alike(sorting, failure, classes),
    ]
    learned = sorting.score("confident_learning")
    flagged = learned is not None and learned[failure] > 0
    return [*clauses, "confident learning counts the label as an error"] if flagged else clauses


def _blindness(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    around, clauses = sorting.judged.around, [_odds(sorting, failure, classes)]
    if around is not None and around.far is not None and around.far[failure] >= 0.5:
        share = "more than 99%" if around.far[failure] > 0.99 else f"{around.far[failure]:.0%}"
        clauses.append(f"{share} of right answers lie nearer to the training cases")
    if around is not None and around.trained is not None and around.pocket[failure] > 0:
        label = classes[sorting.judged.labels[sorting.rows[failure]]]
        missed = round(around.pocket[failure] * NEIGHBOURS)
        trained = round(around.trained[failure, sorting.judged.labels[sorting.rows[failure]]] * NEIGHBOURS)
        clauses.append(
            f"{missed} of the {NEIGHBOURS} most alike cases here are {label} and were missed too, "
            f"while {trained} of the {NEIGHBOURS} most alike training cases are {label}"
        )
    return clauses


def _spurious(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    clauses, energy = [], sorting.judged.energy
    if sorting.which[failure] >= 0:
        pull, score = sorting.pulls[sorting.which[failure]], sorting.score("tied_to_column")
        assert score is not None
        clauses.append(
            f"it carries {pull.column} = {pull.value}, which draws {100 * pull.excess:.0f} more of 100 cases "
            f"of the same true class to {classes[pull.towards]}"
        )
        clauses.append(f"with that pull taken off, the label would beat the answer at {score[failure]:.0%}")
    if energy is not None and sorting.score("off_lesion") is not None:
        clauses.append(f"{energy[sorting.rows[failure]]:.0%} of the map lies on the lesion")
    return clauses


def _odds(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> str:
    row = sorting.rows[failure]
    label, answer = sorting.judged.labels[row], sorting.judged.predicted[row]
    p = sorting.judged.probs[row]
    return f"the model gave {classes[answer]} {p[answer]:.0%} and the label {classes[label]} {p[label]:.0%}"


def _members(sorting: Taxonomy, failure: int) -> list[str]:
    if sorting.judged.members is None:
        return []
    row = sorting.rows[failure]
    votes = ties.first_largest(sorting.judged.members[:, row])
    agreed = int((votes == sorting.judged.predicted[row]).sum())
    return [f"{agreed} of {len(votes)} models {'gives' if agreed == 1 else 'give'} that answer"]


def _alike(sorting: Taxonomy, failure: int, classes: Sequence[str]) -> list[str]:
    around = sorting.judged.around
    if around is None:
        return []
    row = sorting.rows[failure]
    label, answer = sorting.judged.labels[row], sorting.judged.predicted[row]
    shares, where = (around.judged, "") if around.trained is None else (around.trained, "training ")
    with_label, with_answer = (round(shares[failure, k] * NEIGHBOURS) for k in (label, answer))
    return [
        f"of the {NEIGHBOURS} most alike {where}cases {with_label} are {classes[label]} "
        f"and {with_answer} {classes[answer]}"
    ]
