"""Wrong settings in one sentence: the key, what arrived, the nearest known name."""

from __future__ import annotations

from typing import get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from primum.core import check

LONGEST = 200  # characters of a value that a sentence repeats: some files hold a million hashes


def sentence(error: ValidationError, model: type, noun: str = "key") -> str:
    """The first thing that is wrong with the settings of a model, a pydantic class or dataclass.

    ``noun`` is what its fields are called.

    >>> from pydantic import BaseModel
    >>> class Training(BaseModel, extra="forbid"):
    ...     epochs: int = 30
    >>> try:
    ...     Training(epoch=3)
    ... except ValidationError as error:
    ...     print(sentence(error, Training))
    unknown key 'epoch' (did you mean 'epochs'?)
    """
    first = error.errors()[0]
    reason = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "should be")
    if first["type"] == "value_error":
        return reason
    path, section = _place(model, first["loc"])
    arrived = first["input"]
    if first["type"] == "union_tag_invalid":
        # pydantic complains of the whole section, since the name decides what belongs into it
        key = str(first["ctx"]["discriminator"]).strip("'")
        *names, last = str(first["ctx"]["expected_tags"]).split(", ")
        path, arrived, reason = [*path, key], arrived[key], f"should be {', '.join(names)} or {last}"
        nearest = _nearest(arrived, [name.strip("'") for name in (*names, last)])
    elif first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        inside = f" under {'.'.join(path[:-1])!r}" if path[:-1] else ""
        return f"unknown {noun} {path[-1]!r}{inside}{check.nearest(path[-1], list(_fields(section)))}"
    elif first["type"] in ("missing", "missing_argument"):
        return f"the {noun} {'.'.join(path)!r} is missing"
    else:
        nearest = _nearest(arrived, _choices(section, path))
    return f"{'.'.join(path)!r} {reason[:1].lower()}{reason[1:]}, {repr(arrived)[:LONGEST]} arrived{nearest}"


def _fields(kind: type) -> dict[str, FieldInfo]:
    """Name → field of a pydantic class or dataclass; none of any other type."""
    return getattr(kind, "__pydantic_fields__", {})


def _place(model: type, location: tuple[int | str, ...]) -> tuple[list[str], type]:
    """Keys that lead to the error, without the names pydantic adds for a union; the last one's section."""
    path: list[str] = []
    section, inner = model, model
    discriminator, union = "", list[type]()
    for part in location:
        chosen = [kind for kind in union if _fields(kind)[discriminator].default == part]
        union = []
        if chosen:
            inner = chosen[0]
            continue
        section = inner
        path.append(str(part))
        if field := _fields(section).get(str(part)):
            kinds = (field.annotation, *get_args(field.annotation))
            models = [kind for kind in kinds if isinstance(kind, type) and _fields(kind)]
            if isinstance(field.discriminator, str):
                discriminator, union = field.discriminator, models
            inner = models[0] if models else section
    return path, section


def _choices(section: type, path: list[str]) -> list[str]:
    """The names that the last key of a path can have as its value; none where it takes others."""
    field = _fields(section).get(path[-1])
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return [name for kind in kinds for name in get_args(kind) if isinstance(name, str)]


def _nearest(arrived: object, names: list[str]) -> str:
    return check.nearest(arrived, names) if isinstance(arrived, str) and names else ""
