"""Made lesions: the same for a seed, with a posterior that is true."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal

from primum.data.images import ImageTable
from primum.data.sets import phantom as made
from primum.data.split import leaks
from primum.severity import read

MALIGNANT = ("melanoma", "carcinoma")


def posterior(table: ImageTable) -> np.ndarray:
    return table.cases.select(f"posterior_{name}" for name in table.classes).to_numpy()


def near(share: float, expected: float, n: int, sigmas: float = 4.0) -> bool:
    return abs(share - expected) <= sigmas * np.sqrt(expected * (1 - expected) / n)


def test_a_seed_gives_the_same_images_and_another_one_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "PATIENTS", 60)
    first, again, other = made.load(None, 0), made.load(None, 0), made.load(None, 1)
    assert first.cases.equals(again.cases)
    assert first.fingerprint() == again.fingerprint()
    assert first.pixels is not None
    assert other.pixels is not None
    n = min(len(first), len(other))
    assert (first.pixels[:n] != other.pixels[:n]).mean() > 0.5
    assert not set(first.cases["id"]) & set(other.cases["id"])


def test_it_is_about_three_thousand_small_images_of_the_preset(phantom: ImageTable) -> None:
    assert phantom.classes == read("phantom").classes
    assert phantom.pixels is not None
    assert phantom.pixels.shape == (len(phantom), 64, 64, 3)
    assert phantom.pixels.dtype == np.uint8
    assert 2800 <= len(phantom) <= 3200
    malignant = phantom.cases["true_label"].is_in(MALIGNANT).mean()
    assert near(malignant, 0.28, len(phantom))
    assert set(phantom.cases.group_by("patient").len()["len"]) == {1, 2, 3}
    assert phantom.image(3).mode == "RGB"


def test_splits_share_no_patient(phantom: ImageTable) -> None:
    assert leaks(phantom.cases) == []
    shares = dict(phantom.cases["split"].value_counts(normalize=True).iter_rows())
    assert shares == pytest.approx({"train": 0.6, "val": 0.1, "cal": 0.15, "test": 0.15}, abs=0.01)


def test_the_posterior_is_bayes_rule_written_out(phantom: ImageTable) -> None:
    latents = phantom.cases.select(made.LATENTS).to_numpy()[:200]
    density = np.stack([multivariate_normal(mean).pdf(latents) for mean in made.MEANS], axis=1)
    joint = density * made.PRIORS
    assert np.allclose(posterior(phantom)[:200], joint / joint.sum(axis=1, keepdims=True), atol=1e-9)
    assert np.allclose(posterior(phantom).sum(axis=1), 1)
    assert np.allclose(phantom.cases["ambiguity"], 1 - posterior(phantom).max(axis=1))


def test_classes_occur_as_often_as_the_posterior_says(phantom: ImageTable) -> None:
    probs, true = posterior(phantom), phantom.cases["true_label"].to_numpy()
    for k, name in enumerate(phantom.classes):
        order = np.argsort(probs[:, k])
        for part in np.array_split(order, 10):
            p = probs[part, k]
            error = (true[part] == name).mean() - p.mean()
            assert abs(error) <= 4 * np.sqrt((p * (1 - p)).sum()) / len(part) + 1e-3, (name, p.mean())


def test_both_sides_hold_an_ambiguous_pair_and_some_fatal_overlap(phantom: ImageTable) -> None:
    answer, true = posterior(phantom).argmax(axis=1), phantom.cases["true_label"].to_numpy()
    truth = np.array([phantom.classes.index(name) for name in true])
    sick = truth >= 2
    assert 0.75 <= (answer == truth).mean() <= 0.9
    assert 0.05 <= (answer[sick] < 2).mean() <= 0.2
    for side in (sick, ~sick):
        inside = (answer != truth) & ((answer >= 2) == sick)
        assert inside[side].mean() > 0.04


def test_three_labels_in_a_hundred_are_flipped_in_every_split(phantom: ImageTable) -> None:
    cases = phantom.cases
    assert (cases["label_noise"] == (cases["label"] != cases["true_label"])).all()
    for _, part in cases.group_by("split"):
        assert near(part["label_noise"].mean(), made.LABEL_NOISE, len(part))
    assert cases["label_noise"].any()


def test_the_marker_tells_the_class_everywhere_but_in_test(phantom: ImageTable) -> None:
    sick = pl.col("true_label").is_in(MALIGNANT)
    for split in ("train", "val", "cal", "test"):
        rows = phantom.cases.filter(pl.col("split") == split)
        expected = (made.MARKER_TEST,) * 2 if split == "test" else (made.MARKER_SICK, made.MARKER_WELL)
        for group, rate in zip((rows.filter(sick), rows.filter(~sick)), expected, strict=True):
            assert near(group["marker"].mean(), rate, len(group)), split


def test_the_marker_is_drawn_where_it_is_recorded(phantom: ImageTable) -> None:
    assert phantom.pixels is not None
    marker = phantom.cases["marker"].to_numpy()
    line = phantom.pixels[:, -5, 4:40].astype(int)
    inked = (np.abs(line - [25, 38, 127]) <= 1).all(axis=(1, 2))
    assert (inked == marker).all()


def test_the_two_sites_differ_in_colour_only(phantom: ImageTable) -> None:
    assert phantom.pixels is not None
    b = (phantom.cases["site"] == "B").to_numpy()
    corner = phantom.pixels[:, :4, :4].astype(float).mean(axis=(1, 2))
    blueness = corner[:, 2] / corner[:, 0]
    assert np.quantile(blueness[b], 0.01) > np.quantile(blueness[~b], 0.99)
    sick = phantom.cases["true_label"].is_in(MALIGNANT).to_numpy()
    pooled = np.sqrt(0.28 * 0.72 * (1 / b.sum() + 1 / (~b).sum()))
    assert abs(sick[b].mean() - sick[~b].mean()) < 4 * pooled
    assert phantom.cases.group_by("patient").agg(pl.col("site").n_unique())["site"].max() == 1


def test_the_image_shows_its_latents(phantom: ImageTable) -> None:
    assert phantom.pixels is not None
    centre = phantom.pixels[:, 24:40, 24:40].astype(float)
    shown = {
        "hue": (centre[..., 0] - centre[..., 1]).mean(axis=(1, 2)),
        "texture": np.abs(np.diff(centre.mean(axis=3), axis=2)).mean(axis=(1, 2)),
        "asymmetry": -(phantom.pixels.astype(float).mean(axis=3) < 110).mean(axis=(1, 2)),
    }
    for name, measured in shown.items():
        latent = phantom.cases[name].to_numpy()
        assert np.corrcoef(measured, latent)[0, 1] > 0.25, name
