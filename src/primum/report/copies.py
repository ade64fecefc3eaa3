"""A page that shows groups of copies side by side, a pure function of what a check found."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from primum.core.check import MissingExtraError
from primum.data.imaging import decode, encoded
from primum.data.imaging.opening import UnreadableError
from primum.data.imaging.preview import preview
from primum.report.thumbnails import inside

SIDE, MOST_GROUPS, MOST_IMAGES = 112, 200, 12


def render(content: Mapping[str, Any], copies: Sequence[Mapping[str, Any]], images: Path | None) -> str:
    """Write the groups of copies as one page that opens offline.

    Args:
        content: of ``check.json``. copies: the rows of ``copies.csv``, group by group.
        images: folder their paths start from; without it, images are named and not shown.

    Returns:
        The HTML text: the first 200 groups in the order given, 12 images of each.
    """
    groups: dict[object, list[Mapping[str, Any]]] = {}
    for row in copies:
        groups.setdefault(row["group"], []).append(row)
    views = [
        {
            "kind": rows[0]["kind"],
            "across": rows[0]["across"],
            "conflicting": rows[0]["conflicting"],
            "images": [dict(row) | {"picture": picture(row["path"], images)} for row in rows[:MOST_IMAGES]],
            "more": max(len(rows) - MOST_IMAGES, 0),
        }
        for rows in list(groups.values())[:MOST_GROUPS]
    ]
    template = _environment().get_template("copies.html.jinja")
    return template.render(content=content, groups=views, more=max(len(groups) - MOST_GROUPS, 0), side=SIDE)


def picture(path: str | None, images: Path | None) -> str | None:
    """A small JPEG of the picture as a data URI; None when it may not or cannot be shown."""
    file = inside(path, images)
    if file is None:
        return None
    decode.pillow()
    try:
        small = encoded.jpeg(preview(file, SIDE), 80)
    except (MissingExtraError, OSError, UnreadableError):
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(small).decode('ascii')}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("primum.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
