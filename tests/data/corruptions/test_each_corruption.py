"""Every corruption against an independent account of it."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from primum.data.corruptions import CORRUPTIONS, bias_field, corrupt, elastic, marker, motion, stain
from tests.data.corruptions.made import distance, ids, lesions

IMAGES = lesions(2)


def value(name, intensity):
    return CORRUPTIONS[name].values[intensity - 1]


def test_brightness_is_added_and_taken_away():
    for name, sign in (("brightness_up", 1), ("brightness_down", -1)):
        expected = np.clip(IMAGES.numpy() + sign * value(name, 3), 0, 1)
        np.testing.assert_allclose(corrupt(IMAGES, name, 3, ids(2)), expected, atol=1e-6)


def test_contrast_keeps_the_mean_and_shrinks_the_spread():
    found = corrupt(IMAGES, "contrast", 4, ids(2))
    for before, after in zip(IMAGES.numpy(), found.numpy(), strict=True):
        assert after.mean() == pytest.approx(before.mean(), abs=1e-4)
        assert after.std() == pytest.approx(before.std() * value("contrast", 4), rel=1e-3)


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 4, math.pi / 2, 2.5])
@pytest.mark.parametrize("length", [0.03, 0.15])
def test_motion_blur_is_the_mean_along_a_line(angle, length):
    image = lesions(1, 96)[:, :1]
    found = motion.blur(image, length, torch.tensor([[angle]]))[0, 0].numpy()
    side = image.shape[-1]
    y, x = np.mgrid[:side, :side].astype(float)
    steps = (np.arange(50) + 0.5) / 50 - 0.5
    moved = [
        ndimage.map_coordinates(
            image[0, 0].numpy(),
            [y + step * length * side * math.sin(angle), x + step * length * side * math.cos(angle)],
            order=1, mode="nearest",
        )
        for step in steps
    ]  # fmt: skip
    assert np.abs(found - np.mean(moved, axis=0)).max() < 0.05  # at the edge of the disc
    assert np.sqrt(np.mean((found - np.mean(moved, axis=0)) ** 2)) < 0.004


def test_a_line_weighs_its_pixels_with_linear_interpolation():
    fine = (np.arange(100_000) + 0.5) / 100_000 - 0.5
    for length in (0.4, 1.0, 5.0, 6.3):
        for across, down in ((length, 0.0), (0.0, -length)):
            found = {tap[1] or tap[0]: tap[2] for tap in motion.line(across, down)}
            expected = {step: np.maximum(0, 1 - np.abs(step - length * fine)).mean() for step in range(-5, 6)}
            for step, weight in expected.items():
                assert found.get(step, 0.0) == pytest.approx(weight, abs=1e-4)
    for across, down in ((3.7, 9.1), (-8.0, 8.0), (0.0, 0.0)):
        assert sum(weight for _, _, weight in motion.line(across, down)) == pytest.approx(1)


def test_elastic_moves_pixels_by_its_field():
    still = torch.zeros(2, 2, elastic.KNOTS, elastic.KNOTS)
    torch.testing.assert_close(elastic.bend(IMAGES, 0.05, still), IMAGES, atol=1e-4, rtol=0)
    across = still.clone()
    across[:, 0] = 1  # everything is fetched from 5 pixels further right
    found = elastic.bend(IMAGES, 5 / 224, across)
    torch.testing.assert_close(found[..., :-5], IMAGES[..., 5:], atol=1e-3, rtol=0)
    down = still.clone()
    down[:, 1] = 1
    found = elastic.bend(IMAGES, 5 / 224, down)
    torch.testing.assert_close(found[:, :, :-5], IMAGES[:, :, 5:], atol=1e-3, rtol=0)


def test_elastic_fields_are_of_one_strength_and_move_the_image_as_a_whole_nowhere():
    fields = CORRUPTIONS["elastic"].chances(ids(5), 0)
    torch.testing.assert_close(fields.pow(2).mean(dim=(1, 2, 3)).sqrt(), torch.ones(5))
    torch.testing.assert_close(fields.mean(dim=(2, 3)), torch.zeros(5, 2), atol=1e-6, rtol=0)


def test_noise_is_gaussian_of_the_written_deviation():
    grey = torch.full((3, 1, 224, 224), 0.5)
    for intensity in (1, 2):
        change = (corrupt(grey, "gaussian_noise", intensity, ids(3)) - grey).numpy().ravel()
        sigma = value("gaussian_noise", intensity)
        assert change.std() == pytest.approx(sigma, rel=0.02)
        assert abs(change.mean()) < sigma / 100
        assert np.mean(np.abs(change) < sigma) == pytest.approx(0.6827, abs=0.01)
        assert abs(np.corrcoef(change[:-1], change[1:])[0, 1]) < 0.02


def test_jpeg_at_224_pixels_is_that_of_the_library():
    pixels = IMAGES.mul(255).round().byte()
    for intensity in (1, 5):
        found = corrupt(pixels.float() / 255, "jpeg", intensity, ids(2)).mul(255).round().byte()
        for before, after in zip(pixels, found, strict=True):
            file = io.BytesIO()
            quality = value("jpeg", intensity)
            Image.fromarray(before.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
            np.testing.assert_array_equal(after.permute(1, 2, 0).numpy(), np.asarray(Image.open(file)))


def test_stain_scales_haematoxylin_and_eosin_beyond_grey():
    way, first, second = CORRUPTIONS["stain"].chances(["a"], 0)[0].double().numpy()
    found = corrupt(IMAGES[:1].double(), "stain", 5, ["a"])[0]
    for row, column in ((20, 20), (112, 112), (200, 30)):
        density = -np.log(IMAGES[0, :, row, column].double().numpy())
        grey = density.mean()
        amounts = np.linalg.solve(stain.STAINS.T, density - grey)  # of the three stains
        strength = value("stain", 5)
        amounts *= [1 + strength * way * first, 1 - strength * way * second, 1]
        changed = grey * (1 + strength * way * first / 2) + stain.STAINS.T @ amounts
        np.testing.assert_allclose(found[:, row, column], np.clip(np.exp(-changed), 0, 1), atol=1e-6)


def test_a_bias_field_is_a_cubic_gain_within_its_bounds():
    flat = torch.full((4, 1, 60, 80), 0.4, dtype=torch.float64)
    strength = value("bias_field", 3)
    gains = (corrupt(flat, "bias_field", 3, ids(4)) / flat).log()[:, 0].numpy()
    y, x = np.meshgrid((np.arange(60) + 0.5) / 30 - 1, (np.arange(80) + 0.5) / 40 - 1, indexing="ij")
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=-1).reshape(-1, 10)
    assert len(bias_field.POWERS) == 9
    for gain in gains:
        weights = np.linalg.lstsq(terms, gain.ravel(), rcond=None)[0]
        np.testing.assert_allclose(terms @ weights, gain.ravel(), atol=1e-6)
        assert 0.7 * strength < np.abs(gain).max() <= strength + 1e-6
        assert abs(gain.mean()) < 0.1 * strength


def test_a_letter_stands_white_in_its_corner():
    black = torch.zeros(40, 1, 224, 224)
    chances = CORRUPTIONS["letter_marker"].chances(ids(40), 0)
    found = corrupt(black, "letter_marker", 3, ids(40))[:, 0]
    right = chances[:, 0] == 0  # an L
    assert 5 < right.sum() < 35
    height = value("letter_marker", 3) * 224
    for letter, image, edges in zip(right, found, chances[:, 1:] * 224, strict=True):
        rows, columns = np.flatnonzero(image.amax(dim=1) > 0.5), np.flatnonzero(image.amax(dim=0) > 0.5)
        side, top = edges.tolist()
        assert rows[0] == pytest.approx(top, abs=1.5)
        assert rows[-1] - rows[0] == pytest.approx(height, abs=2)
        assert columns[-1] - columns[0] == pytest.approx(height * 5 / 7, abs=2)
        edge = 223 - columns[-1] if letter else columns[0]
        assert edge == pytest.approx(side, abs=1.5)
        # an L is a bar at the left and one at the foot: 11 of 35 squares, an R has 18
        assert image.sum() / (height * height * 5 / 7) == pytest.approx((11 if letter else 18) / 35, abs=0.03)
    assert [sum(row.count("#") for row in letter) for letter in marker.LETTERS] == [11, 18]


def test_elastic_and_motion_blur_of_a_flat_image_change_nothing():
    flat = torch.full((2, 3, 50, 70), 0.3)
    for name in ("elastic", "motion_blur"):
        assert (distance(corrupt(flat, name, 5, ids(2)), flat) < 3e-3).all()
