"""Neighbourhoods and sources of evidence, against a plain slow definition and hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from primum.judge.failures import ambiguity, annotation, blindness
from primum.judge.failures.neighbours import NEIGHBOURS, Neighbourhood, neighbourhood


def test_neighbours_are_those_of_the_slow_definition() -> None:
    rng = np.random.default_rng(0)
    points, pool = rng.normal(size=(120, 5)), rng.normal(size=(80, 5))
    labels, predicted, pool_labels = (rng.integers(0, 3, n) for n in (120, 120, 80))
    patients = rng.integers(0, 40, 120)
    found = neighbourhood(points, labels, predicted, 3, patients, pool, pool_labels)
    failures = np.flatnonzero(labels != predicted)
    unit, trained = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in (points, pool))
    own, away = cdist(unit, unit), np.sort(cdist(unit, trained), axis=1)[:, NEIGHBOURS - 1]
    right = np.flatnonzero(labels == predicted)
    for at, row in enumerate(failures):
        near = [i for i in np.argsort(own[row]) if patients[i] != patients[row]][:NEIGHBOURS]
        assert found.judged[at] == pytest.approx(np.bincount(labels[near], minlength=3) / NEIGHBOURS)
        missed = [i for i in near if labels[i] == labels[row] and predicted[i] != labels[i]]
        assert found.pocket[at] == pytest.approx(len(missed) / NEIGHBOURS)
        close = np.argsort(cdist(unit[[row]], trained)[0])[:NEIGHBOURS]
        assert found.trained[at] == pytest.approx(np.bincount(pool_labels[close], minlength=3) / NEIGHBOURS)
        same = right[predicted[right] == predicted[row]]
        same = same if len(same) >= 20 else right
        assert found.far[at] == pytest.approx((away[same] < away[row]).mean())


def test_a_table_of_one_patient_has_no_neighbours_and_no_error() -> None:
    found = neighbourhood(np.eye(4), [0, 1, 0, 1], [1, 1, 0, 1], 2, ["p"] * 4)
    assert found.judged.tolist() == [[0, 0]]
    assert found.pocket.tolist() == [0]
    assert found.trained is None


LABELS, ANSWERS = np.array([0, 0]), np.array([1, 1])


def test_ambiguity_by_hand() -> None:
    probs = np.array([[0.4, 0.5, 0.1], [0.0, 1.0, 0.0]])
    assert ambiguity.close_call(LABELS, ANSWERS, probs) == pytest.approx([0.8 / 0.9, 0])
    likeness = np.array([[1, 1, 0], [1, 1, 0.5], [0, 0.5, 1]])
    assert ambiguity.neighbouring_mass(ANSWERS, probs, likeness) == pytest.approx([0.9, 0])
    members = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.3, 0.7], [0.0, 1.0]]])
    assert ambiguity.split_members(LABELS, ANSWERS, members) == pytest.approx([0.8, 0.2])
    assert ambiguity.mixed_neighbourhood([0], [1], [[0, 0, 1.0]]).tolist() == [0]


def test_two_classes_are_alike_when_they_share_probability() -> None:
    probs = np.array([[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.0, 0.1, 0.9]])
    likeness = ambiguity.class_likeness([0, 1, 2], probs)
    assert likeness == pytest.approx(likeness.T)
    assert likeness[0, 1] == 1
    assert likeness[0, 2] == 0
    assert likeness[1, 2] == 1  # class 2 is mixed up with no other as much
    assert ambiguity.class_likeness([0, 1], np.eye(2)).tolist() == [[1, 0], [0, 1]]


def test_noise_by_hand() -> None:
    probs = np.array([[0.05, 0.95], [0.0, 1.0]])
    assert annotation.label_unlikely(LABELS, ANSWERS, probs) == pytest.approx([1 - 0.05 / 0.95 / 0.1, 1])
    members = np.stack([probs, np.array([[0.6, 0.4], [0.05, 0.95]])])
    against = annotation.members_against_label(LABELS, ANSWERS, members)
    assert against == pytest.approx([0, 1 - 0.05 / 0.95 / 0.1])
    shares = [[0.1, 0.8], [0.5, 0.2]]
    assert annotation.neighbours_against_label(LABELS, ANSWERS, shares) == pytest.approx([0.7, 0])


def test_blindness_by_hand() -> None:
    around = Neighbourhood(
        np.array([[1.0, 0.0]] * 2), np.array([0.8, 0.8]), np.array([[0.0, 1.0], [0.5, 0.5]]), np.zeros(2)
    )
    assert blindness.unsupported_region(LABELS, around) == pytest.approx([0.8, 0.4])
    assert blindness.far_from_training([0.5, 0.95, 0.975, 1.0]) == pytest.approx([0, 0, 0.5, 1])
    assert blindness.sureness(LABELS, ANSWERS, np.array([[0.2, 0.8], [0.5, 0.5]])) == pytest.approx([0.75, 0])
