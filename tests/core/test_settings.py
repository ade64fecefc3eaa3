"""What is wrong with settings, in one sentence."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from primum.core import settings


class Circle(BaseModel, extra="forbid"):
    name: Literal["circle"] = "circle"
    radius: float = 1.0
    colour: Literal["red", "green"] = "red"


class Square(BaseModel, extra="forbid"):
    name: Literal["square"] = "square"
    side: float


class Picture(BaseModel, extra="forbid"):
    shape: Circle | Square = Field(default=Circle(), discriminator="name")
    size: int = 1


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"sise": 3}, "unknown key 'sise' (did you mean 'size'?)"),
        ({"size": [1]}, "'size' should be a valid integer, [1] arrived"),
        ({"shape": {"name": "cirle"}}, "'shape.name' should be 'circle' or 'square', 'cirle' arrived"),
        ({"shape": {"name": "square"}}, "the key 'shape.side' is missing"),
        ({"shape": {"name": "square", "sid": 1, "side": 1}}, "unknown key 'sid' under 'shape'"),
        ({"shape": {"name": "circle", "radius": "r"}}, "'shape.radius' should be a valid number"),
        ({"shape": {"name": "circle", "colour": "gren"}}, "(did you mean 'green'?)"),
        ({"size": "1" * 9_000}, "arrived"),
    ],
)
def test_an_error_is_one_sentence_that_names_the_key(content: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Picture.model_validate(content)
    text = settings.sentence(caught.value, Picture)
    assert sentence in text
    assert "\n" not in text
    assert len(text) < 400


def test_fields_of_a_dataclass_are_named_too() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Point).validate_python({})
    assert settings.sentence(caught.value, Point, "field") == "the field 'x' is missing"
