"""How an audit and a comparison are written and shown: JSON, Parquet, one offline page."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import polars as pl

from primum import files
from primum.finding import Finding

WORST = 1000


class Saved(ABC):
    """What has findings, cases and a dictionary form can be written and shown."""

    findings: list[Finding]
    cases: pl.DataFrame

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON, with the 1,000 worst cases inside."""

    def to_json(self, path: str | Path | None = None) -> str:
        """JSON text, written whole to ``path`` when one is given."""
        return _written(json.dumps(self.to_dict(), allow_nan=False, indent=1, default=str), path)

    def to_html(self, path: str | Path | None = None, images: str | Path | None = None) -> str:
        """The report as one offline page, written whole to ``path`` when one is given.

        ``images`` is the folder that the paths of the cases are relative to.
        """
        from primum.report.page import render

        return _written(render(self.to_dict(), None if images is None else Path(images)), path)

    def to_dataframe(self) -> pl.DataFrame:
        """The findings, one row each."""
        return pl.DataFrame([finding.to_dict() for finding in self.findings], infer_schema_length=None)

    def save(self, folder: str | Path, images: str | Path | None = None) -> Path:
        """Write ``audit.json``, ``cases.parquet`` and ``report.html`` into ``folder``, each whole."""
        out = Path(folder)
        page = self.to_html(None, images)
        with files.whole(out / "cases.parquet") as draft:
            self.cases.write_parquet(draft)
        self.to_json(out / "audit.json")
        _written(page, out / "report.html")
        return out

    def _repr_html_(self) -> str:
        from primum.report.notebook import summary

        return summary(self.to_dict())


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        with files.whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
    return text
