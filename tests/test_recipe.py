import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from primum import severity
from primum.check import InputError
from primum.recipe import Recipe

SMALL = {"data": {"name": "phantom"}, "network": {"name": "resnet18"}}
SHIPPED = sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml"))


def test_written_and_read_back_it_is_the_same(tmp_path):
    loss = {"name": "risk_calibrated", "severity": "phantom", "strength": 3}
    before = Recipe.parse(SMALL | {"loss": loss, "seed": 4}).with_root("somewhere")
    path = tmp_path / "recipe.yaml"
    path.write_text(before.to_yaml())
    assert Recipe.read(path) == before


def test_defaults_of_the_risk_calibrated_loss():
    loss = Recipe.parse(SMALL | {"loss": {"name": "risk_calibrated", "severity": "phantom"}}).loss
    assert (loss.form, loss.strength) == ("expected", 10.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trainning": {}}, "unknown key 'trainning'.*did you mean 'training'"),
        ({"training": {"epoch": 3}}, "unknown key 'epoch' under 'training'.*did you mean 'epochs'"),
        ({"data": {}}, "the key 'data.name' is missing"),
        ({"data": None}, "'data'"),
        ({"training": {"epochs": "many"}}, "'training.epochs' should be a valid integer.*'many' arrived"),
        ({"training": {"epochs": 0}}, "'training.epochs' should be greater than or equal to 1, 0 arrived"),
        ({"loss": {"name": "cros_entropy"}}, "did you mean 'cross_entropy'"),
        ({"loss": {"name": "risk_calibrated"}}, "needs a severity"),
        ({"loss": {"name": "risk_calibrated", "severity": "phantom", "strength": -1}}, "'loss.strength'"),
        ({"loss": {"name": "risk_calibrated", "severity": "phantom", "form": "weighed"}}, "'loss.form'"),
        ({"loss": {"name": "cross_entropy", "strength": 3}}, "takes neither form nor strength"),
        ({"training": {"monitor": "val_cost"}}, "val_cost needs a severity"),
        ({"training": {"monitor": "loss"}}, "did you mean 'val_loss'"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_sentence(tmp_path, change, says):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(SMALL | change))
    with pytest.raises(InputError, match=says) as caught:
        Recipe.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "a: [1", "\x00"])
def test_what_is_no_recipe_is_refused(tmp_path, text):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        Recipe.read(path)


def test_the_fingerprint_leaves_out_the_name_and_the_place_only():
    recipe = Recipe.parse(SMALL)
    assert recipe.with_root("elsewhere").fingerprint() == recipe.fingerprint()
    assert Recipe.parse(SMALL | {"name": "other"}).fingerprint() == recipe.fingerprint()
    assert Recipe.parse(SMALL | {"seed": 1}).fingerprint() != recipe.fingerprint()
    assert (
        Recipe.parse(SMALL | {"data": {"name": "phantom", "seed": 1}}).fingerprint() != recipe.fingerprint()
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_recipes_read_and_come_in_pairs(path):
    recipe = Recipe.read(path)
    assert recipe.name == path.stem
    assert recipe.data.root is None
    severity.read(recipe.loss.severity)
    pair = "risk-calibrated" if recipe.loss.name == "cross_entropy" else "cross-entropy"
    data = path.stem.removesuffix("-cross-entropy").removesuffix("-risk-calibrated")
    other = Recipe.read(path.with_name(f"{data}-{pair}.yaml"))
    same = {"name", "loss"}
    assert other.model_dump(exclude=same) == recipe.model_dump(exclude=same)


def test_there_are_shipped_recipes():
    assert len(SHIPPED) == 8


def test_reading_a_recipe_leaves_torch_alone():
    code = "import sys, primum.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
