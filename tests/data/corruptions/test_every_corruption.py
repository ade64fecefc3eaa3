"""What holds for every corruption."""

import numpy as np
import pytest
import torch

from primum.data.corruptions import CORRUPTIONS, INTENSITIES, corrupt, parse
from primum.data.corruptions.corruption import resized
from tests.data.corruptions.made import DRAWN, NAMES, distance, ids, lesions

every = pytest.mark.parametrize("name", NAMES)
IMAGES = lesions()
SMALL = lesions(6, 48, seed=1)


@every
@pytest.mark.parametrize("shape", [(1, 9, 7), (3, 48, 64), (4, 40, 40)])
def test_values_stay_in_0_to_1_and_the_images_given_stay_as_they_are(name, shape):
    images = torch.from_numpy(np.random.default_rng(0).random((2, *shape)).astype(np.float32))
    images[0, :, :2], images[1, :, -2:] = 0, 1
    before = images.clone()
    for intensity in INTENSITIES:
        found = corrupt(images, name, intensity, ids(2))
        assert found.shape == images.shape
        assert found.dtype == images.dtype
        assert torch.isfinite(found).all()
        assert found.min() >= 0
        assert found.max() <= 1
        assert found.data_ptr() != images.data_ptr()
    assert torch.equal(images, before)


@every
def test_an_image_is_corrupted_alike_in_any_batch_and_order(name):
    names = ids(6)
    whole = corrupt(SMALL, name, 4, names)
    order = [4, 2, 0, 5, 3, 1]
    turned = corrupt(SMALL[order], name, 4, [names[at] for at in order])
    torch.testing.assert_close(turned, whole[order], atol=2e-6, rtol=0)
    for at in range(6):
        alone = corrupt(SMALL[at : at + 1], name, 4, [names[at]])
        torch.testing.assert_close(alone[0], whole[at], atol=2e-6, rtol=0)


@every
def test_chance_follows_from_seed_and_id_and_from_nothing_else(name):
    same = SMALL[:1].expand(2, -1, -1, -1)
    torch.manual_seed(1)
    first = corrupt(same, name, 3, ["a", "b"])
    torch.manual_seed(2)
    assert torch.equal(corrupt(same, name, 3, ["a", "b"]), first)
    drawn = name in DRAWN
    assert torch.equal(first[0], first[1]) != drawn
    assert torch.equal(corrupt(same, name, 3, ["a", "b"], seed=1), first) != drawn


def test_two_corruptions_of_one_image_draw_each_for_themselves():
    chances = {name: CORRUPTIONS[name].chances(["a"], 0).flatten() for name in ("stain", "letter_marker")}
    assert not torch.equal(chances["stain"][1:], chances["letter_marker"][1:])


@every
def test_a_higher_intensity_changes_every_image_more(name):
    steps = torch.stack([distance(corrupt(IMAGES, name, k, ids(4)), IMAGES) for k in INTENSITIES])
    assert (steps[0] > 1e-3).all()
    assert (steps.diff(dim=0) > 0).all()


@every
@pytest.mark.parametrize("intensity", [1, 5])
def test_112_and_224_pixels_look_alike(name, intensity):
    small = resized(IMAGES, 112, 112).clamp(0, 1)
    after = resized(corrupt(IMAGES, name, intensity, ids(4)), 112, 112)
    before = corrupt(small, name, intensity, ids(4))
    assert (distance(after, before) < 0.4 * distance(before, small)).all()


@every
def test_squashing_before_or_after_makes_little_difference(name):
    wide = resized(IMAGES, 120, 200).clamp(0, 1)
    square = resized(wide, 112, 112).clamp(0, 1)
    after = resized(corrupt(wide, name, 4, ids(4)), 112, 112)
    before = corrupt(square, name, 4, ids(4))
    assert (distance(after, before) < 0.4 * distance(before, square)).all()


@every
def test_grey_stays_grey_and_channels_do_not_count(name):
    grey = IMAGES.mean(dim=1, keepdim=True)
    one = corrupt(grey, name, 3, ids(4))
    for channels in (3, 5):
        several = corrupt(grey.repeat(1, channels, 1, 1), name, 3, ids(4))
        torch.testing.assert_close(several, one.repeat(1, channels, 1, 1), atol=2e-6, rtol=0)


@every
def test_five_intensities_are_written_down_and_each_differs(name):
    assert len(set(CORRUPTIONS[name].values)) == len(INTENSITIES) == 5


def test_one_image_is_treated_in_the_same_manner_at_all_intensities():
    grey = torch.full((1, 1, 224, 224), 0.5)
    changes = [(corrupt(grey, "gaussian_noise", k, ["a"]) - grey).flatten() for k in (1, 2)]
    assert torch.corrcoef(torch.stack(changes))[0, 1] > 0.999


def test_no_images_are_no_images():
    assert corrupt(SMALL[:0], "elastic", 3, []).shape == (0, 3, 48, 48)


@pytest.mark.parametrize(
    ("name", "intensity", "says"),
    [
        ("motion_blurr", 3, ["'motion_blurr'", "did you mean 'motion_blur'?", "gaussian_noise"]),
        ("elastic", 0, ["elastic", "1, 2, 3, 4 or 5 was expected, 0 arrived"]),
        ("elastic", 6, ["6 arrived"]),
        ("elastic", 2.5, ["2.5 arrived"]),
        ("elastic", True, ["True arrived"]),
        ("elastic", "3", ["'3' arrived"]),
    ],
)
def test_unknown_names_and_intensities_are_refused(refused, name, intensity, says):
    refused(lambda: corrupt(SMALL, name, intensity, ids(6)), *says)


def test_images_of_another_kind_are_refused(refused):
    refused(lambda: corrupt((SMALL * 255).byte(), "jpeg", 3, ids(6)), "torch.uint8", "divide")
    refused(lambda: corrupt(SMALL[0], "jpeg", 3, ids(3)), "(3, 48, 48)")
    refused(lambda: corrupt(SMALL, "jpeg", 3, ids(5)), "5 for 6 arrived")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("motion_blur", ["NAME:INTENSITY", "motion_blur:3 for one"]),
        ("motionblur", ["did you mean 'motion_blur'?"]),
        ("motionblur:3", ["did you mean 'motion_blur'?"]),
        ("motion_blur:", ["from 1 to 5", "''"]),
        ("motion_blur:mild", ["'mild' arrived"]),
        ("motion_blur:9", ["9 arrived"]),
    ],
)
def test_a_text_that_is_no_corruption_is_refused(refused, text, says):
    refused(lambda: parse(text), *says)


def test_a_text_is_parsed():
    assert parse("jpeg:5") == ("jpeg", 5)
