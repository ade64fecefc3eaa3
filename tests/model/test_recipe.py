import subprocess
import sys

import pytest
import yaml

from primum import severity
from primum.core.check import InputError
from primum.model.recipe import Recipe
from tests.places import DOCS, ROOT

SMALL = {"data": {"name": "phantom"}, "network": {"name": "resnet18"}}
RISKY = {"name": "risk_calibrated", "severity": "phantom"}
SHIPPED = sorted((ROOT / "recipes").glob("*.yaml"))


def test_written_and_read_back_it_is_the_same(tmp_path):
    loss = {"name": "risk_calibrated", "severity": "phantom", "strength": 3}
    before = Recipe.parse(SMALL | {"loss": loss, "seed": 4}).with_root("somewhere")
    path = tmp_path / "recipe.yaml"
    path.write_text(before.to_yaml())
    assert Recipe.read(path) == before


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ({"name": "cross_entropy"}, {}),
        ({"name": "class_weighted"}, {}),
        ({"name": "focal"}, {"gamma": 2.0}),
        ({"name": "label_smoothing"}, {"smoothing": 0.1}),
        ({"name": "risk_calibrated"}, {"form": "expected", "base": "cross_entropy", "strength": 10.0}),
        ({"name": "focal", "gamma": None}, {"gamma": 2.0}),
        (
            {"name": "risk_calibrated", "form": "confusion", "base": "focal"},
            {"strength": 10.0, "beta": 0.5, "half": "both", "gamma": 2.0},
        ),
        (
            {"name": "risk_calibrated", "form": "weighted", "base": "label_smoothing", "risk": "urgency"},
            {"strength": 10.0, "smoothing": 0.1},
        ),
        ({"name": "hierarchical"}, {"strength": 0.5}),
        ({"name": "hierarchical", "strength": 0}, {}),
        ({"name": "logit_adjusted"}, {}),
        ({"name": "deep_gamblers"}, {"reward": 1.8, "pretraining": 5}),
        ({"name": "deep_gamblers", "pretraining": 0}, {"reward": 1.8}),
    ],
)
def test_a_loss_gets_the_defaults_that_belong_to_it_and_no_others(given, filled):
    loss = Recipe.parse(SMALL | {"loss": given | {"severity": "phantom"}}).loss
    assert loss.model_dump(exclude_none=True, exclude={"severity"}) == given | filled


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trainning": {}}, "unknown key 'trainning'.*did you mean 'training'"),
        ({"training": {"epoch": 3}}, "unknown key 'epoch' under 'training'.*did you mean 'epochs'"),
        ({"data": {}}, "the key 'data.name' is missing"),
        ({"data": None}, "'data'"),
        (
            {"network": {"name": "densenet121", "trunk": "frozen", "trunk_dropout": 0.1}},
            "trunk_dropout needs trunk: trained",
        ),
        ({"network": {"name": "densenet121", "trunk_dropout": 1}}, "'network.trunk_dropout'.*less than 1"),
        ({"training": {"epochs": "many"}}, "'training.epochs' should be a valid integer.*'many' arrived"),
        ({"training": {"epochs": 0}}, "'training.epochs' should be greater than or equal to 1, 0 arrived"),
        ({"loss": {"name": "cros_entropy"}}, "did you mean 'cross_entropy'"),
        ({"loss": {"name": "risk_calibrated"}}, "needs a severity"),
        ({"loss": {"name": "risk_calibrated", "severity": "phantom", "strength": -1}}, "'loss.strength'"),
        ({"loss": {"name": "risk_calibrated", "severity": "phantom", "form": "weighed"}}, "'loss.form'"),
        (
            {"loss": {"name": "cross_entropy", "strength": 3}},
            "'strength' under 'loss' belongs to risk_calibrated and",
        ),
        ({"loss": {"name": "hierarchical", "severity": "phantom", "strength": -1}}, "'loss.strength'"),
        ({"loss": {"name": "hierarchical"}}, "hierarchical needs a severity"),
        ({"loss": {"name": "logit_adjusted"}}, "logit_adjusted needs a severity"),
        ({"loss": {"name": "logit_adjusted", "severity": "phantom", "strength": 1}}, "not to logit_adjusted"),
        ({"loss": {"name": "focal", "base": "focal"}}, "'base' under 'loss' belongs to risk_calibrated"),
        ({"loss": {"name": "focal", "gamma": -1}}, "'loss.gamma'"),
        ({"loss": {"name": "label_smoothing", "smoothing": 1}}, "'loss.smoothing' should be less than 1"),
        (
            {"loss": {"name": "cross_entropy", "risk": "age"}},
            "'risk' under 'loss' belongs to risk_calibrated",
        ),
        (
            {"loss": {"name": "class_weighted", "gamma": 1}},
            "'gamma' .* focal, as name or base, not to class_w",
        ),
        ({"loss": RISKY | {"beta": 0.5}}, "'beta' .* the form confusion, not to .* form expected"),
        ({"loss": RISKY | {"half": "fine"}}, "'half' .* the form confusion"),
        ({"loss": RISKY | {"gamma": 2}}, "'gamma' .* not to risk_calibrated .* base cross_entropy"),
        ({"loss": RISKY | {"base": "focal", "smoothing": 0.1}}, "'smoothing' .* base focal"),
        ({"loss": RISKY | {"base": "hierarchical"}}, "'loss.base'"),
        ({"loss": RISKY | {"form": "confusion", "beta": 1.5}}, "'loss.beta'"),
        ({"loss": RISKY | {"form": "confusion", "half": "critcal"}}, "did you mean 'critical'"),
        ({"training": {"monitor": "val_cost"}}, "val_cost needs a severity"),
        ({"loss": {"name": "deep_gamblers", "reward": 1}}, "'loss.reward' should be greater than 1, 1 arr"),
        ({"loss": {"name": "focal", "reward": 2}}, "'reward' under 'loss' belongs to deep_gamblers"),
        (
            {"loss": {"name": "deep_gamblers"}, "training": {"epochs": 5}},
            "'loss.pretraining' 5 leaves none of 'training.epochs' 5",
        ),
        ({"confidnet": {"epoch": 3}}, "unknown key 'epoch' under 'confidnet'.*did you mean 'epochs'"),
        ({"confidnet": {"epochs": 0}}, "'confidnet.epochs' should be greater than or equal to 1, 0 arrived"),
        ({"confidnet": "yes"}, "'confidnet'"),
        (
            {"confidnet": {"finetune_epochs": 1}, "network": {"name": "resnet18", "trunk": "frozen"}},
            "finetune_epochs needs trunk: trained",
        ),
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
    for dropout, same in ((0.0, True), (0.1, False)):
        network = SMALL["network"] | {"trunk_dropout": dropout}
        other = Recipe.parse(SMALL | {"network": network}).fingerprint()
        assert (other == recipe.fingerprint()) is same
    assert (
        Recipe.parse(SMALL | {"data": {"name": "phantom", "seed": 1}}).fingerprint() != recipe.fingerprint()
    )


@pytest.mark.parametrize(
    ("change", "starts"),
    [
        ({}, "9714115d41144b92"),
        ({"loss": {"name": "cross_entropy", "severity": "phantom"}}, "71cd64bab1334dd1"),
        ({"loss": RISKY}, "308bdbc600e43063"),
        (
            {
                "data": {"name": "phantom", "squash": 150},
                "loss": {
                    "name": "risk_calibrated",
                    "severity": "isic2018",
                    "strength": 4,
                    "form": "expected",
                },
            },
            "a3fc5817e8c062f5",
        ),
    ],
)
def test_runs_made_before_the_later_keys_keep_their_fingerprint(change, starts):
    assert Recipe.parse(SMALL | change).fingerprint().startswith(starts)


@pytest.mark.parametrize(
    "change", [{"base": "focal"}, {"risk": "age"}, {"form": "confusion"}, {"strength": 9}]
)
def test_what_changes_the_loss_changes_the_fingerprint(change):
    plain = Recipe.parse(SMALL | {"loss": RISKY})
    assert Recipe.parse(SMALL | {"loss": RISKY | change}).fingerprint() != plain.fingerprint()
    assert (
        Recipe.parse(SMALL | {"loss": RISKY | {"base": "cross_entropy"}}).fingerprint() == plain.fingerprint()
    )


def test_leaving_out_copies_counts_only_where_it_is_asked_for():
    plain = Recipe.parse(SMALL)
    kept = Recipe.parse(SMALL | {"data": {"name": "phantom", "drop_leaks": False}})
    asked = Recipe.parse(SMALL | {"data": {"name": "phantom", "drop_leaks": True}})
    assert kept.fingerprint() == plain.fingerprint() != asked.fingerprint()
    assert plain.without_leaks() == asked


def test_a_confidnet_counts_only_where_it_is_asked_for(tmp_path):
    plain, asked = Recipe.parse(SMALL), Recipe.parse(SMALL | {"confidnet": {}})
    assert Recipe.parse(SMALL | {"confidnet": None}).fingerprint() == plain.fingerprint()
    assert asked.confidnet.model_dump() == {
        "epochs": 30, "learning_rate": 1e-4, "finetune_epochs": 0, "finetune_learning_rate": 1e-6,
    }  # fmt: skip
    assert (
        len({one.fingerprint() for one in (plain, asked, Recipe.parse(SMALL | {"confidnet": {"epochs": 9}}))})
        == 3
    )
    (tmp_path / "recipe.yaml").write_text(asked.to_yaml())
    assert Recipe.read(tmp_path / "recipe.yaml") == asked
    text = "data: {name: phantom}\nnetwork: {name: resnet18}\nconfidnet: {learning_rate: 1e-4}\n"
    (tmp_path / "recipe.yaml").write_text(text)
    assert Recipe.read(tmp_path / "recipe.yaml").confidnet.learning_rate == 1e-4  # YAML reads text here


def test_the_recipes_of_the_page_on_confidence_scores_read():
    page = DOCS / "how-to-train-a-confidence-score.md"
    shown = [
        Recipe.parse(yaml.safe_load(part.split("```")[0])) for part in page.read_text().split("```yaml")[1:]
    ]
    assert [(one.loss.name, one.confidnet is not None) for one in shown] == [
        ("cross_entropy", True), ("deep_gamblers", False),
    ]  # fmt: skip


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
    code = "import sys, primum.model.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
