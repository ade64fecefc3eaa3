"""A new image: the same answer as prediction gives, and whether it would be used."""

from __future__ import annotations

import io
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from primum.data.images import ImageTable  # noqa: E402
from primum.data.imaging import limits  # noqa: E402
from primum.explore import novelty  # noqa: E402
from primum.explore.scene import Domain, build_scene  # noqa: E402
from primum.explore.trial import answer  # noqa: E402
from primum.model import backbone  # noqa: E402
from primum.model.predict import predict  # noqa: E402
from tests.explore.conftest import MATRIX  # noqa: E402
from tests.model.made import CLASSES, made  # noqa: E402


@pytest.fixture(scope="module")
def table() -> ImageTable:
    cases, pixels = made(600)  # 19 patients at least among the fit rows: fewer allow no veto at 5 %
    return ImageTable("made", CLASSES, cases, pixels=pixels)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run")
    network = backbone.build("mobilenetv3_small_050", CLASSES, image_size=32).eval()
    backbone.save(network, folder)
    return folder


@pytest.fixture(scope="module")
def shown(run, table):
    parts = {name: predict(run, table.split(name), progress=False) for name in ("train", "cal", "test")}
    known = {"fit": parts["cal"], "train": parts["train"]}
    return build_scene("made", [Domain("test", parts["test"])], **known, severity=MATRIX, run=run)


def png(pixels: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def test_the_answer_is_the_one_prediction_gives(shown, table) -> None:
    row = 4
    test = table.split("test")
    found = answer(shown, png(test.pixels[row]), "lesion.png")
    case = shown.cases.row(row, named=True)
    assert found.predicted == case["predicted"]
    for name in CLASSES:
        assert found.probabilities[name] == pytest.approx(case[f"prob_{name}"], abs=1e-5)
    for name in shown.scores:
        assert found.scores[name] == pytest.approx(case[f"score_{name}"], rel=1e-3, abs=1e-5), name
    veto = novelty.at_rate(shown, novelty.names(shown)[0], 0.05)
    seen = case[f"score_{veto.score}"] >= veto.threshold > -np.inf
    assert found.accepted == (seen and case["confidence"] >= shown.thresholds["msr"])
    assert found.reason == ("" if found.accepted else "unsure" if seen else "unfamiliar")
    assert ("accept" if found.accepted else "defer") in found.why
    values = shown.cases["score_msr"].to_numpy()
    assert found.below["msr"] == pytest.approx((values < found.scores["msr"]).mean(), abs=1 / len(values))
    assert Image.open(io.BytesIO(found.picture)).size == (32, 32)
    stages = shown.domains[0].predictions.stages
    assert found.predictions.stages is not None
    for seen, stored in zip(found.predictions.stages, stages, strict=True):
        np.testing.assert_allclose(seen[0], stored[row], atol=1e-4)
    assert found.nearest is not None
    assert found.nearest["of"].unique().to_list() == ["train"]
    assert len(found.nearest) == 3


def test_what_speaks_for_the_answer_is_drawn(shown, table) -> None:
    pytest.importorskip("torchcam")
    found = answer(shown, png(table.pixels[0]), "lesion.png")
    if found.heat is None:
        assert "nothing in the image" in found.no_heat
    else:
        assert Image.open(io.BytesIO(found.heat)).size == (32, 32)


def test_a_known_image_finds_itself(shown, table) -> None:
    train = table.split("train")
    found = answer(shown, png(train.pixels[3]), "known.png")
    assert found.nearest is not None
    assert found.nearest["id"][0] == train.cases["id"][3]
    assert found.nearest["similarity"][0] == pytest.approx(1, abs=1e-4)


def test_a_policy_decides(shown, table) -> None:
    from dataclasses import replace

    from primum.auditing.policy.fit import fit

    policy = fit(shown.fit, MATRIX, "msr", capacity=0.3)
    for row in range(3):
        content = png(table.split("test").pixels[row])
        found = answer(shown, content, "a.png", policy)
        assert found.accepted == (found.scores["msr"] >= policy.threshold)
        assert "the policy (at most 30 %" in found.why
    for threshold, accepted in ((np.inf, False), (-np.inf, True)):
        one = replace(policy, thresholds={"all": replace(policy.thresholds["all"], threshold=threshold)})
        assert answer(shown, content, "a.png", one).accepted is accepted


def test_a_dicom_file(shown) -> None:
    pydicom = pytest.importorskip("pydicom")
    from tests.data.imaging.test_dicom import made as dicom

    assert pydicom
    written = io.BytesIO()
    grey = np.linspace(0, 4095, 40 * 50).reshape(40, 50).astype(np.uint16)
    dicom(grey).save_as(written, enforce_file_format=True)
    found = answer(shown, written.getvalue(), "film")
    picture = np.asarray(Image.open(io.BytesIO(found.picture)))
    assert picture.shape == (40, 50, 3)
    np.testing.assert_allclose(picture[..., 0], grey / 4095 * 255, atol=1)


def test_without_training_rows_test_rows_are_the_known_ones(run, table) -> None:
    test = predict(run, table.split("test"), progress=False)
    bare = build_scene("made", [Domain("test", test)], run=run)
    found = answer(bare, png(table.split("test").pixels[2]), "a.png")
    assert "cannot be asked here (" in found.seen
    assert not found.asked
    assert "--train" in found.seen
    assert found.nearest is not None
    assert found.nearest["id"][0] == test.ids[2]


def test_bad_input_is_refused(shown, made, refused) -> None:
    refused(lambda: answer(shown, b"no image", "notes.png"), "notes.png", "does not decode")
    refused(lambda: answer(shown, b"", "empty.jpg"), "empty.jpg")
    refused(lambda: answer(build_scene("made", [Domain("a", made())]), b"", "a.png"), "needs a network")
    large = b"\0" * (limits.UPLOADED + 1)
    refused(lambda: answer(shown, large, "a.png"), "a.png: an image was expected", "at most 45 are read")
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "EPS")
    refused(lambda: answer(shown, stream.getvalue(), "x.png"), "does not decode as JPEG, PNG")


def test_the_name_of_a_file_is_only_shown(shown, table, refused) -> None:
    content = png(table.pixels[0])
    for name in ("../../etc/passwd.png", "/dev/zero", "a\0b.png", "a\nb", "x" * 100_000 + ".png", "a.ps", ""):
        found = answer(shown, content, name)
        assert len(found.name) <= 80
        assert found.name.isprintable()
    for name in ("x" * 1000, "a\nb"):
        refused(lambda name=name: answer(shown, b"no image", name), "an image was expected")


def test_what_arrives_is_measured_before_it_is_decoded(monkeypatch, refused) -> None:
    pytest.importorskip("dash")
    panel = import_module("primum.explore.app.trial")
    assert panel.decode_upload("data:image/png;base64,aGVsbG8=") == b"hello"
    for odd in ("data:;base64,%%%", "data:;base64,aGVsbG8", "data:;base64,é"):
        refused(lambda odd=odd: panel.decode_upload(odd), "did not arrive whole; drop it in again")

    def decoded(*given: object, **rest: object) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(panel.base64, "b64decode", decoded)
    long = "data:;base64," + "A" * (4 * limits.UPLOADED // 3 + 2000)
    refused(lambda: panel.decode_upload(long), "at most 45 MB was expected, 45.00 MB arrived; shrink it")


def test_an_image_of_twelve_bits_is_seen_in_the_range_of_the_network(shown, run, tmp_path) -> None:
    from dataclasses import replace

    network = backbone.load(run)
    transform = replace(network.card.transform, ranges=((0.0, 4095.0),))
    network.card = replace(network.card, transform=transform)
    backbone.save(network, tmp_path)
    here = replace(shown, run=tmp_path)
    stored = np.linspace(0, 4000, 32 * 32).reshape(32, 32).astype(np.uint16)
    eight = np.repeat(np.rint(stored / 4095 * 255).astype(np.uint8)[..., None], 3, axis=2)
    found, plain = answer(here, png(stored), "deep.png"), answer(here, png(eight), "plain.png")
    assert found.probabilities == pytest.approx(plain.probabilities, abs=1e-6)
    assert found.predictions.notes == ()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(found.picture))), eight)
    [note] = answer(here, png(stored * 3), "bright.png").predictions.notes
    assert "beyond the range the network reads (0 to 4095)" in note
    [note] = answer(shown, png(stored), "deep.png").predictions.notes
    assert "none on record" in note


@pytest.mark.parametrize("score", ["mahalanobis", "knn", "energy"])
def test_a_policy_decides_on_every_score_of_the_page(shown, table, score) -> None:
    from primum.auditing.policy.fit import fit

    policy = fit(shown.fit, score=score, capacity=0.3, train=shown.train)
    found = answer(shown, png(table.split("test").pixels[0]), "a.png", policy)
    assert found.accepted == (found.scores[score] >= policy.threshold)
    assert score in found.why


def test_what_is_unfamiliar_is_not_asked_how_sure_it_is(shown, monkeypatch) -> None:
    """Noise is like none of the training images, which even a network that never learned can tell."""
    monkeypatch.setattr(novelty, "NOVELTY", ("mahalanobis",))
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    found = answer(shown, png(noise), "noise.png")
    line = novelty.at_rate(shown, "mahalanobis", 0.05).threshold
    assert found.scores["mahalanobis"] < line
    assert (found.accepted, found.reason) == (False, "unfamiliar")
    assert found.why == f"defer: {found.seen}"
    assert f"unfamiliar: mahalanobis {found.scores['mahalanobis']:.4g} is below {line:.4g}" in found.seen
    assert "known patients fall; 0 of them are less like the training images (fit rows)" in found.seen


def test_the_veto_of_a_policy_decides(shown, table) -> None:
    from dataclasses import replace

    from primum.auditing.policy.fit import fit

    policy = fit(shown.fit, MATRIX, capacity=0.3, train=shown.train, veto="knn", veto_rate=0.3)
    content = png(table.split("test").pixels[0])
    for threshold, reasons in ((1e9, ("unfamiliar",)), (-1e9, ("", "unsure"))):
        strict = replace(policy, veto=replace(policy.veto, threshold=threshold))
        found = answer(shown, content, "a.png", strict)
        assert found.reason in reasons
        assert found.accepted == (found.reason == "")
        assert "at most 30 % of patients like the policy's own" in found.seen
        assert found.seen.startswith("unfamiliar" if threshold > 0 else "familiar")
    plain = answer(shown, content, "a.png", fit(shown.fit, MATRIX, capacity=0.3))
    assert "the policy has no veto" in plain.seen
