"""Failures of known kinds get their names; what is missing is said; nothing is named on a hunch."""

from __future__ import annotations

import numpy as np
import pytest

from primum.core.check import InputError
from primum.judge.failures import annotation
from primum.judge.failures.categories import named, scores
from primum.judge.failures.evidence import CATEGORIES, NOISE, SPURIOUS, UNDETERMINED, Evidence
from primum.judge.failures.taxonomy import taxonomy
from primum.judge.failures.words import ADVICE, NAMES, sentence
from tests.judge.failures.made import KINDS, made

CLASSES = ("a", "b", "c")


@pytest.fixture(scope="module")
def example():
    arguments, kind = made()
    return taxonomy(**arguments), kind, arguments


def test_every_kind_put_in_is_found_and_named_right(example) -> None:
    found, kind, _ = example
    for name in KINDS:
        mine = kind[found.rows] == name
        assert mine.sum() >= 15
        assert (found.category[mine] == name).mean() >= 0.6, name
        said = found.category == name
        assert (kind[found.rows][said] == name).mean() >= 0.9, name


def test_scores_and_sources_lie_between_0_and_1(example) -> None:
    found, _, _ = example
    known = [one.score for one in found.evidence if one.score is not None]
    assert len(known) >= 11
    for score in [*found.scores.values(), *known]:
        assert score.shape == (len(found.rows),)
        assert ((score >= 0) & (score <= 1)).all()


def test_rows_in_another_order_get_the_same_names(example) -> None:
    found, _, arguments = example
    order = np.random.default_rng(1).permutation(len(arguments["labels"]))
    moved = {
        name: {c: [v[i] for i in order] for c, v in value.items()}
        if name == "columns"
        else value[:, order]
        if name == "members"
        else value
        if name.startswith("train")
        else value[order]
        for name, value in arguments.items()
    }
    again = taxonomy(**moved)
    names = dict(zip(order[again.rows].tolist(), again.category.tolist(), strict=True))
    assert names == dict(zip(found.rows.tolist(), found.category.tolist(), strict=True))


def test_what_is_missing_is_said_and_nothing_breaks(example) -> None:
    _, _, arguments = example
    bare = taxonomy(arguments["labels"], arguments["predicted"], arguments["probs"])
    missing = {one.name: one.why_not for one in bare.evidence if one.score is None}
    assert set(missing) >= {
        "split_members", "mixed_neighbourhood", "members_against_label", "neighbours_against_label",
        "far_from_training", "unsupported_region", "tied_to_column", "off_lesion",
    }  # fmt: skip
    assert all(missing.values())
    without_train = taxonomy(**arguments | {"train_embeddings": None, "train_labels": None})
    assert without_train.score("unsupported_region") is None
    assert without_train.score("mixed_neighbourhood") is not None
    one_member = taxonomy(**arguments | {"members": arguments["members"][:1]})
    assert one_member.score("split_members") is None


def test_a_models_own_probabilities_never_convict_a_label(example) -> None:
    _, _, arguments = example
    bare = taxonomy(arguments["labels"], arguments["predicted"], arguments["probs"])
    assert bare.score("label_unlikely").max() > 0.9
    assert not bare.scores[NOISE].any()
    assert NOISE not in bare.category


def test_a_map_off_the_lesion_cannot_name_a_failure_alone(example) -> None:
    _, _, arguments = example
    labels, predicted = arguments["labels"], arguments["predicted"]
    energy = np.where(labels == predicted, 0.6, 0.01)
    found = taxonomy(labels, predicted, arguments["probs"], lesion_energy=energy)
    assert (found.score("off_lesion") == 1).all()
    assert (found.scores[SPURIOUS] == 0.5).all()
    assert SPURIOUS not in found.category


def test_the_rule_needs_height_and_lead() -> None:
    heights = {name: np.zeros(4) for name in CATEGORIES}
    heights[CATEGORIES[0]] = np.array([0.9, 0.64, 0.8, 0.8])
    heights[CATEGORIES[1]] = np.array([0.1, 0.0, 0.7, 0.6])
    assert named(heights).tolist() == [CATEGORIES[0], UNDETERMINED, UNDETERMINED, CATEGORIES[0]]


def test_noise_is_as_strong_as_its_weakest_source() -> None:
    evidence = [
        Evidence("close_call", CATEGORIES[0], np.array([0.2])),
        Evidence("label_unlikely", NOISE, np.array([0.9])),
        Evidence("neighbours_against_label", NOISE, np.array([0.7])),
        Evidence("members_against_label", NOISE, np.array([0.3])),
    ]
    assert scores(evidence, 1)[NOISE].tolist() == [0.3]


def test_confident_learning_flags_a_flipped_label_and_not_a_hesitation() -> None:
    pytest.importorskip("cleanlab")
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    probs = np.clip(np.where(labels == 0, 0.9, 0.1) + 0.03 * rng.normal(size=200), 0.01, 0.99)
    probs = np.stack([probs, 1 - probs], axis=1)
    labels[0] = 1
    probs[100] = [0.52, 0.48]
    score = annotation.confident_learning(labels, probs.argmax(axis=1), probs)
    assert len(score) == 2
    assert score[0] == pytest.approx(probs[0, 0] - probs[0, 1])
    assert score[1] == 0


def test_every_failure_has_a_sentence_and_advice(example) -> None:
    found, _, _ = example
    for at in range(len(found.rows)):
        said = sentence(found, at, CLASSES)
        assert said.endswith(".")
        assert said.count(".") - said.count("0.") - said.count("1.") <= 1
    assert set(ADVICE) == set(NAMES) == {*CATEGORIES, UNDETERMINED}
    at = int(np.flatnonzero(found.category == SPURIOUS)[0])
    assert "marker = True" in sentence(found, at, CLASSES)


def test_shapes_that_disagree_are_refused_in_one_sentence(example) -> None:
    _, _, arguments = example
    for changed, told in (
        ({"lesion_energy": np.zeros(3)}, "lesion energy must have shape 600"),
        ({"members": arguments["members"][:, :5]}, "members must have shape 2 × 600 × 3"),
        ({"train_labels": None}, "a label beside each embedding"),
        ({"train_embeddings": np.zeros((440, 7))}, "same network"),
        ({"columns": {"marker": [1, 2]}}, "600 values were expected"),
    ):
        with pytest.raises(InputError) as caught:
            taxonomy(**arguments | changed)
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)


def test_without_a_failure_there_is_nothing_to_sort(example) -> None:
    _, _, arguments = example
    found = taxonomy(**arguments | {"predicted": arguments["labels"]})
    assert len(found.rows) == len(found.category) == 0
    assert all(len(score) == 0 for score in found.scores.values())
