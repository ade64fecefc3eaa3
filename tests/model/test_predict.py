import dataclasses

import numpy as np
import polars as pl
import pytest

from primum.check import InputError
from primum.model import backbone
from primum.model.predict import predict


@pytest.fixture
def network(table):
    return backbone.build("mobilenetv3_small_050", table.classes, image_size=32)


def test_labels_follow_the_classes_of_the_network(table, network):
    turned = dataclasses.replace(table, classes=tuple(reversed(table.classes)))
    straight, found = predict(network, table, progress=False), predict(network, turned, progress=False)
    assert found.classes == table.classes
    np.testing.assert_array_equal(found.labels, straight.labels)
    np.testing.assert_allclose(found.logits, straight.logits, atol=1e-6)


def test_unknown_labels_stay_unknown(table, network):
    cases = table.cases.with_columns(
        pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise(pl.col("label")).alias("label")
    )
    found = predict(network, dataclasses.replace(table, cases=cases), progress=False)
    assert found.labels[:3].tolist() == [-1, -1, -1]
    assert (found.labels[3:] >= 0).all()


def test_an_answer_is_that_of_eval_mode_and_does_not_depend_on_its_neighbours(table, network):
    network.train()
    found = predict(network, table, progress=False)
    alone = predict(network, table.take(np.array([7])), progress=False)
    np.testing.assert_allclose(alone.logits[0], found.logits[7], atol=1e-5)
    assert network.training


def test_metadata_is_everything_but_id_and_label(table, network):
    found = predict(network, table, embeddings=False, progress=False)
    assert found.metadata.columns == ["patient", "site", "split", "path"]
    assert found.embeddings is None
    assert found.kind == "logits"


def test_other_classes_are_refused(table):
    network = backbone.build("mobilenetv3_small_050", ("cat", "dog"), image_size=32)
    with pytest.raises(InputError, match="class names must match"):
        predict(network, table, progress=False)
