"""Made lesion images whose truth is known: posterior, ambiguity, label noise, a spurious marker, two sites.

Five latent measurements of a lesion are drawn from one Gaussian per class, so the posterior given them is
exact. The image is drawn from the latents and from chance that tells nothing of the class. Irregularity,
variegation and asymmetry separate benign from malignant; hue and texture separate the classes of each side.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import softmax

from primum.core.arrays import Bools, Bytes, Floats, Integers, Singles
from primum.data.images import ImageTable
from primum.data.sets.data_set import DataSet
from primum.data.split import WITHOUT_TEST, assign

CLASSES = ("naevus", "keratosis", "melanoma", "carcinoma")
PRIORS = np.array([0.42, 0.30, 0.16, 0.12])
LATENTS = ("irregularity", "variegation", "asymmetry", "hue", "texture")
MEANS = np.array(
    [
        [-0.85, -0.85, -0.65, -0.80, -0.80],
        [-0.85, -0.85, -0.65, 0.80, 0.80],
        [0.85, 0.85, 0.65, -0.80, 0.80],
        [0.85, 0.85, 0.65, 0.80, -0.80],
    ]
)
SIDE, PATIENTS = 64, 1_500
LABEL_NOISE, MARKER_SICK, MARKER_WELL, MARKER_TEST = 0.03, 0.6, 0.1, 0.3


def posterior(latents: Floats) -> Floats:
    """(N, 4) exact probability of each class given the latents (N, 5): unit Gaussians around ``MEANS``."""
    distance = ((latents[:, None, :] - MEANS) ** 2).sum(axis=2)
    return np.asarray(softmax(np.log(PRIORS) - distance / 2, axis=1))


def load(root: Path | None, seed: int) -> ImageTable:
    """About 3,000 images of 64 × 64 RGB pixels from 1,500 patients with one to three lesions each.

    Recorded per image: ``posterior_<class>`` (exact, given the latents), ``ambiguity`` (1 − largest
    posterior), ``true_label``, ``label_noise`` (whether ``label`` was flipped to another class, 3 % in every
    split), ``marker`` (a ruler in the corner: 60 % of malignant and 10 % of benign images outside test, 30 %
    of all in test), ``site`` (A and B, of different colour response), and the latents.

    Args:
        root: not used; nothing is read.
        seed: the same seed gives the same images.
    """
    rng = np.random.default_rng([seed, 64])
    patient = np.repeat(np.arange(PATIENTS), rng.integers(1, 4, PATIENTS))
    n = len(patient)
    true = rng.choice(4, n, p=PRIORS)
    latents = MEANS[true] + rng.normal(size=(n, len(LATENTS)))
    probs = posterior(latents)
    noisy = rng.random(n) < LABEL_NOISE
    # a step of 1 to 3 round the four classes always ends at another one
    label = np.where(noisy, (true + rng.integers(1, 4, n)) % 4, true)
    site = rng.integers(0, 2, PATIENTS)[patient]
    names = np.array(CLASSES)
    people = np.array([f"patient-{number:04d}" for number in patient])
    # by the true class: the cut must not know which labels were flipped
    split = assign(names[true], people, seed, WITHOUT_TEST)
    chance = np.where(split == "test", MARKER_TEST, np.where(true >= 2, MARKER_SICK, MARKER_WELL))
    marker = rng.random(n) < chance
    cases = pl.DataFrame(
        {
            "id": [f"phantom-{seed}-{number:05d}" for number in range(n)],
            "label": names[label],
            "patient": people,
            "site": np.array(["A", "B"])[site],
            "split": split,
            "path": pl.Series([None] * n, dtype=pl.String),
            "true_label": names[true],
            "label_noise": noisy,
            "marker": marker,
            "ambiguity": 1 - probs.max(axis=1),
            **{f"posterior_{name}": probs[:, k] for k, name in enumerate(CLASSES)},
            **{name: latents[:, k] for k, name in enumerate(LATENTS)},
        }
    )
    return ImageTable("phantom", CLASSES, cases, None, draw(latents, marker, site, rng))


def draw(latents: Floats, marker: Bools, site: Integers, rng: np.random.Generator) -> Bytes:
    """(N, 64, 64, 3) images of the latents (N, 5); place, turn, skin and grain come from ``rng``."""
    # parts bound the memory; each draws from rng in turn, so another size of parts makes other images
    return np.concatenate(
        [
            _draw(latents[part], marker[part], site[part], rng)
            for part in np.array_split(np.arange(len(latents)), max(1, len(latents) // 500))
        ]
    )


def _draw(latents: Floats, marker: Bools, site: Integers, rng: np.random.Generator) -> Bytes:
    n = len(latents)
    irregularity, variegation, asymmetry, hue, texture = (
        1 / (1 + np.exp(-1.1 * latents[:, k, None, None].astype(np.float32))) for k in range(5)
    )
    axis = np.linspace(-1, 1, SIDE, dtype=np.float32)
    centre = _normal(rng, 0.07, (2, n, 1, 1))
    across, down = axis[None, None, :] - centre[0], axis[None, :, None] - centre[1]
    turn = _turn(rng, n)
    along = across * np.cos(turn) + down * np.sin(turn)
    aside = (down * np.cos(turn) - across * np.sin(turn)) * (1 + 0.9 * asymmetry)
    angle, radius = np.arctan2(aside, along), np.hypot(along, aside)
    edge = 0.56 + _normal(rng, 0.03, (n, 1, 1))
    for wave in (3, 5, 8):
        edge = edge + 0.085 * irregularity * np.cos(wave * angle + _turn(rng, n))
    inside = 1 / (1 + np.exp((radius - edge) * 28))

    skin = _colour(0.86, 0.68, 0.58) + _normal(rng, 0.03, (n, 1, 1, 1))
    brown, red = _colour(0.38, 0.24, 0.18), _colour(0.66, 0.30, 0.30)
    lesion = brown + hue[..., None] * (red - brown)
    patches = _clouds(rng, n, 3)
    lesion = lesion + (0.55 * variegation * patches)[..., None] * _colour(0.6, 0.5, 0.7)
    grain = np.sin(along * 26 + 2 * _clouds(rng, n, 4)) * np.sin(aside * 26)
    lesion = lesion + (0.22 * texture * grain)[..., None]
    image = skin + inside[..., None] * (lesion - skin) + _normal(rng, 0.025, (n, SIDE, SIDE, 3))
    gain = np.where(site[:, None] == 0, _colour(1, 1, 1), _colour(0.90, 1.0, 1.10))
    image = (
        np.clip(image * gain[:, None, None, :], 0, 1)
        ** np.where(site == 0, np.float32(1), np.float32(0.88))[:, None, None, None]
    )
    # laid on after the colour response: the ruler looks the same at both sites
    ruler = np.zeros((SIDE, SIDE), dtype=bool)
    ruler[-6:-4, 4:40] = True
    ruler[-10:-4, 4:40:6] = True
    image = np.where(marker[:, None, None, None] & ruler[None, :, :, None], _colour(0.1, 0.15, 0.5), image)
    return np.asarray(np.clip(image, 0, 1) * 255, dtype=np.uint8)


def _colour(red: float, green: float, blue: float) -> Singles:
    return np.array([red, green, blue], dtype=np.float32)


def _normal(rng: np.random.Generator, spread: float, shape: tuple[int, ...]) -> Singles:
    return np.float32(spread) * rng.standard_normal(shape, dtype=np.float32)


def _turn(rng: np.random.Generator, n: int) -> Singles:
    return np.float32(2 * np.pi) * rng.random((n, 1, 1), dtype=np.float32)


def _clouds(rng: np.random.Generator, n: int, waves: int) -> Singles:
    """(n, 64, 64) smooth random fields, about -1 to 1: a few plane waves each."""
    axis = np.linspace(-1, 1, SIDE, dtype=np.float32)
    field = np.zeros((n, SIDE, SIDE), dtype=np.float32)
    for _ in range(waves):
        speed, phase = _normal(rng, 4.5, (2, n, 1, 1)), _turn(rng, n)
        field += np.cos(axis[None, None, :] * speed[0] + axis[None, :, None] * speed[1] + phase)
    return field / np.float32(waves)


DATA_SET = DataSet(
    {"phantom": load},
    summary="made lesions of known truth",
    classes=CLASSES,
    needs="",
    licence="made here",
    severity="phantom",
)
