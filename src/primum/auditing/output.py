"""How an audit and a comparison are written and shown: JSON, Parquet, one offline page."""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from primum.auditing import lookup
from primum.core import documents, files
from primum.core.check import InputError, MissingExtraError
from primum.judge.finding import Finding

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")

WORST = 1000
PARTS = ("audit.json", "cases.parquet", "report.html")
HEADER = re.compile(rb'\s*\{\s*"schema":\s*"primum\.(audit|comparison)/')


class Saved(ABC):
    """What has findings, cases and a dictionary form can be written and shown."""

    findings: list[Finding]
    cases: pl.DataFrame

    def finding(self, code: str, group: str = "all", **fields: str | None) -> Finding:
        """The first finding of that code and group whose decision, score, calibrated or policy is as asked.

        Raises NoFindingError, a KeyError and an InputError, when there is none.
        """
        return lookup.first(self.findings, code, group, **fields)

    def __getitem__(self, code: str) -> Finding:
        """The finding of that code for all cases, where there is exactly one."""
        return lookup.only(self.findings, code)

    @property
    @abstractmethod
    def title(self) -> str:
        """What was judged, in a line."""

    def __repr__(self) -> str:
        return lookup.lines(self.title, self.findings)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON, with the 1,000 worst cases inside."""

    def to_json(self, path: str | Path | None = None) -> str:
        """JSON text, written whole to ``path`` when one is given."""
        blocks = (f" {_text(name)}: {_block(part)}" for name, part in self.to_dict().items())
        return _written("{\n" + ",\n".join(blocks) + "\n}", path)

    def to_html(
        self,
        path: str | Path | None = None,
        images: str | Path | None = None,
        maps: str | Path | None = None,
    ) -> str:
        """The report as one offline page, written whole to ``path`` when one is given.

        ``images`` is the folder that the paths of the cases are relative to, ``maps`` that of the pictures
        ``primum explain`` drew, beside its table.
        """
        from primum.report.page import render

        folders = (None if folder is None else Path(folder) for folder in (images, maps))
        return _written(render(self.to_dict(), *folders), path)

    def to_dataframe(self) -> pl.DataFrame:
        """The findings, one row each."""
        return pl.DataFrame([finding.to_dict() for finding in self.findings], infer_schema_length=None)

    def to_pandas(self) -> pandas.DataFrame:
        """The findings as :meth:`to_dataframe` has them, for pandas; MissingExtraError without it."""
        try:
            import pandas
        except ImportError:
            raise MissingExtraError(
                "to_pandas needs pandas, which is not installed: pip install pandas"
            ) from None
        return pandas.DataFrame(self.to_dataframe().to_dicts())

    def save(
        self, folder: str | Path, images: str | Path | None = None, maps: str | Path | None = None
    ) -> Path:
        """Write ``audit.json``, ``cases.parquet`` and ``report.html`` into ``folder``, all or none.

        Raises InputError where a file of such a name is there that no audit or comparison wrote.
        """
        out = Path(folder)
        refuse_foreign(out)
        with files.together([out / name for name in PARTS]) as drafts:
            content, cases, page = drafts.values()
            self.cases.write_parquet(cases)
            self.to_json(content)
            self.to_html(page, images, maps)
        return out

    def _repr_html_(self) -> str:
        from primum.report.notebook import summary

        return summary(self.to_dict())


def read_json(path: str | Path, noun: str, schema: str, build: Callable[[Mapping[str, Any]], T]) -> T:
    """Read back what ``to_json`` wrote.

    Raises:
        InputError: for a file that is no JSON, is of another schema, or lacks a field.
    """
    file, content = Path(path), documents.read_json(path, f"{noun} (JSON)")
    if not isinstance(content, dict) or content.get("schema") != schema:
        verb = "audit" if noun.endswith("audit") else "compare"
        raise InputError(f"{file.name}: {noun} of schema {schema} was expected; write it with primum {verb}")
    try:
        return build(content)
    except (KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{file.name}: {noun} as primum writes it was expected, one field is off ({error})"
        ) from None


def table_of(cases: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """The cases of a JSON file as a table."""
    return pl.DataFrame(cases, infer_schema_length=None)


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder with a file of our names that is not ours: it would be replaced."""
    foreign = next((name for name in PARTS if (folder / name).exists()), None)
    if foreign is None:
        return
    described = folder / PARTS[0]
    if described.is_file():
        with described.open("rb") as opened:
            if HEADER.match(opened.read(100)):
                return
        foreign = PARTS[0]
    raise InputError(
        f"{folder}: {foreign} here was not written by an audit and would be replaced; name another folder"
    )


def _block(part: object) -> str:
    """One line per entry: a matrix of a thousand classes would be a million lines otherwise."""
    if isinstance(part, Mapping) and part:
        return (
            "{\n" + ",\n".join(f"  {_text(str(key))}: {_text(value)}" for key, value in part.items()) + "\n }"
        )
    if isinstance(part, list | tuple) and part:
        return "[\n" + ",\n".join(f"  {_text(value)}" for value in part) + "\n ]"
    return _text(part)


def _text(content: object) -> str:
    try:
        return json.dumps(content, allow_nan=False, default=_plain)
    except ValueError:  # NaN or infinity somewhere
        return json.dumps(_finite(content), allow_nan=False, default=str)


def _plain(content: object) -> object:
    return dict(content) if isinstance(content, Mapping) else str(content)


def _finite(content: object) -> object:
    """The same with null for NaN and infinity, which JSON has no word for."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return content


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        with files.whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
    return text
