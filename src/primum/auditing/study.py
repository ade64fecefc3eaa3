"""What a table of predictions cannot know of its study: ``about.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from primum.core import check, documents
from primum.core.check import InputError

LONGEST = 2000


def _text(value: object) -> object:
    """Text of a number or a date as YAML reads it; None for what is empty."""
    if isinstance(value, int | float | date) and not isinstance(value, bool):
        value = str(value)
    return (" ".join(value.split()) or None) if isinstance(value, str) else value


Text = Annotated[
    Annotated[str, StringConstraints(max_length=LONGEST)] | None, BeforeValidator(_text)
]  # at most 2,000 characters, white space joined


class Study(BaseModel):
    """A study in its authors' words; every field may be left out or empty and then counts as not reported.

    Attributes:
        intended_use: what the answers are for, for which patients, where in care.
        intended_users: who sees them.
        setting: kind of care, number and place of the centres.
        source_of_data: where the judged cases come from, and why these.
        training_data: the same of the cases the model was trained on, with their number by class.
        dates: first and last day on which the judged cases were gathered.
        eligibility: who was included and excluded.
        preparation: processing and quality checks before the model saw an image.
        sample_size: why so many cases.
        partitions: how cases were dealt to training, calibration and test, and at which level they are apart.
        reference_standard: what the labels are taken to be the truth of, and how they were made.
        readers: how many people labelled, their experience, and how they settled disagreement.
        demographics: age, sex and further characteristics, of each partition.
        imbalance: what was done about rare classes. fairness: what was done so that groups are served alike.
        differences: how training and judged cases differ in setting, eligibility, labels and images.
        robustness: what was varied, and what came of it.
        failures: what was learnt from the wrong answers.
        poor_input: what happens to an image that is missing or too poor.
        external_test: whether the judged cases come from elsewhere than the training cases.
        prior_validation: earlier tests of the same model.
        data_availability, code_availability: where they may be had. funding, conflicts: of interest.

    >>> Study.parse({"intended_users": "radiologists", "funding": ""}).reported()
    {'intended_users': 'radiologists'}
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    intended_use: Text = None
    intended_users: Text = None
    setting: Text = None
    source_of_data: Text = None
    training_data: Text = None
    dates: Text = None
    eligibility: Text = None
    preparation: Text = None
    sample_size: Text = None
    partitions: Text = None
    reference_standard: Text = None
    readers: Text = None
    demographics: Text = None
    imbalance: Text = None
    fairness: Text = None
    differences: Text = None
    robustness: Text = None
    failures: Text = None
    poor_input: Text = None
    external_test: Annotated[bool | None, BeforeValidator(_text)] = None
    prior_validation: Text = None
    data_availability: Text = None
    code_availability: Text = None
    funding: Text = None
    conflicts: Text = None

    @classmethod
    def parse(cls, content: object, where: str = "about") -> Study:
        """Build from plain values; ``where`` is used in messages. Raises InputError."""
        if not isinstance(content, Mapping):
            raise InputError(f"{where}: lines such as 'intended_use: second reading' were expected")
        try:
            return cls.model_validate({str(key): value for key, value in content.items()})
        except ValidationError as error:
            raise InputError(f"{where}: {_sentence(error)}") from None

    @classmethod
    def read(cls, path: Path | str) -> Study:
        """Read ``about.yaml``. Raises InputError naming the file and the key."""
        content = documents.read_yaml(path, "a file about the study (YAML)")
        return cls.parse({} if content is None else content, Path(path).name)

    def reported(self) -> dict[str, Any]:
        """The fields that say something, JSON-ready."""
        return self.model_dump(exclude_none=True)


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    key, arrived = str(first["loc"][0]), first["input"]
    if first["type"] == "extra_forbidden":
        keys = list(Study.model_fields)
        return f"unknown key {key!r}{check.nearest(key, keys)}; known are {check.shorten(keys, len(keys))}"
    if first["type"] == "string_too_long":
        return f"{key!r} takes at most {LONGEST} characters, {len(arrived)} arrived; say it in fewer words"
    form = "yes or no" if key == "external_test" else "text"
    return f"{key!r} should be {form}, {check.shorten([repr(arrived)])[:80]} arrived; rewrite that line"
