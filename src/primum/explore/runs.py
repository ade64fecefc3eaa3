"""From what was named on the command line to scenes: a run, an audit, a folder of tables, or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from primum import severity as severities
from primum import tables
from primum.auditing.preparation import fingerprint
from primum.core import check, documents, files
from primum.core.arrays import Bools
from primum.core.check import InputError
from primum.explore.domains import Parts, parts
from primum.explore.scene import Domain, Scene, scene
from primum.model.recipe import Recipe
from primum.predictions import Predictions
from primum.severity import SeverityMatrix
from primum.tables.selection import fit_rows, select

SUFFIXES = (".parquet", ".csv", ".tsv", ".npz")
ROLES = {
    "train": "train",
    "val": "val",
    "validation": "val",
    "cal": "fit",
    "calibration": "fit",
    "fit": "fit",
}
FIRST = "test"
AUDIT = "primum.audit/1"


@dataclass(frozen=True, eq=False)
class Found:
    """What one target holds.

    Attributes:
        parts: its rows. tables: the files they came from, for the folders of paths and maps.
        run: folder with a network, or None. severity, critical, said: what it tells of itself.
    """

    parts: Parts
    tables: tuple[Path, ...]
    run: Path | None = None
    severity: SeverityMatrix | None = None
    critical: Bools | None = None
    said: tuple[str, ...] = ()


def read(
    targets: Sequence[Path],
    images: Path | None = None,
    train: Path | None = None,
    severity: str | None = None,
    cache: Path | None = None,
) -> list[Scene]:
    """A scene for every target; two of them can be compared case by case where domains and ids agree.

    Args:
        targets: run folders (``predictions/``, and ``scores/`` of a bench in its place), audit folders (the
            audited table must lie in it, beside it, or where the command runs), folders of tables (``train``
            and ``cal`` are taken for what their names say), or tables.
        images: folder the column ``path`` starts from, or that holds the data set; default that of the run's
            data, else of the table.
        train: table of training rows; default the run's own.
        severity: preset or file; default the audit's, else the one the run was trained with.
        cache: folder that keeps scores that take long, or None.

    Raises:
        InputError: for anything that cannot be read, in one sentence.
    """
    if not targets:
        raise InputError("a run, an audit or a table of predictions was expected, none was named")
    paths = [Path(target) for target in targets]
    if len({files.real(path) for path in paths}) < len(paths):
        raise InputError("the same run or table was named twice; name two different ones to compare them")
    if images is not None and not images.is_dir():
        raise InputError(f"--images {images}: a folder was expected here, there is none")
    matrix = None if severity is None else severities.read(severity)
    known = None if train is None else _training(train)
    names = [files.real(path).name for path in paths] if len(paths) == 1 else _called(paths)
    return [_scene(path, name, images, known, matrix, cache) for path, name in zip(paths, names, strict=True)]


def _scene(
    path: Path,
    name: str,
    images: Path | None,
    train: Predictions | None,
    matrix: SeverityMatrix | None,
    cache: Path | None,
) -> Scene:
    found = _found(path)
    given = found if matrix is None else replace(found, severity=matrix, critical=None)
    whole = scene(
        name,
        given.parts.domains,
        fit=given.parts.fit,
        train=given.parts.train if train is None else train,
        severity=given.severity,
        critical=given.critical,
        images_root=_root(given, images),
        maps=_maps(given),
        run=given.run,
        cache=cache,
    )
    return replace(whole, said=whole.said + found.said)


def _called(paths: Sequence[Path]) -> list[str]:
    """What is not common to all paths, from the first to the last part that differs."""
    split = [files.real(path).parts for path in paths]
    while len({one[0] for one in split}) == 1 and min(map(len, split)) > 1:
        split = [one[1:] for one in split]
    while len({one[-1] for one in split}) == 1 and min(map(len, split)) > 1:
        split = [one[:-1] for one in split]
    return ["/".join(one) for one in split]


def _training(path: Path) -> Predictions:
    table = tables.read(path)
    return parts(table, path.stem).train or table


def _found(path: Path) -> Found:
    if not path.exists():
        raise InputError(f"{path}: a run, an audit or a table of predictions was expected, there is nothing")
    if path.is_file():
        return _of_file(path)
    if (path / "audit.json").is_file():
        return _of_audit(path)
    return _of_folder(path)


def _of_file(path: Path) -> Found:
    """A table; of one among the predictions of a run, the run's other tables are used beside it."""
    own = parts(tables.read(path), path.stem)
    run = path.parent.parent if path.parent.name in ("predictions", "scores") else None
    if run is None or not (run / "network.json").is_file():
        return Found(own, (path,))
    beside = _of_folder(run)
    whole = replace(own, fit=own.fit or beside.parts.fit, train=own.train or beside.parts.train)
    return replace(beside, parts=whole, tables=(path,))


def _of_folder(path: Path) -> Found:
    """A run, or any folder of tables."""
    asked = [file for file in _tables(path / "scores") if file.suffix == ".parquet"]
    listed = _tables(path / "predictions") or _tables(path)
    if asked:  # a bench asked this run about every shift; of its own tables the training rows are left
        listed = [file for file in listed if ROLES.get(file.stem) == "train"] + asked
    if not listed:
        raise InputError(
            f"{path}: tables of predictions ({', '.join(SUFFIXES)}) were expected here, there are none"
        )
    domains: list[Domain] = []
    held: dict[str, Predictions] = {}
    for file in listed:
        own = parts(tables.read(file), file.stem)
        role = ROLES.get(file.stem)
        if role is not None:
            rows = tables.read(file) if len(own.domains) != 1 else own.domains[0].predictions
            held[role] = _marked(rows) if role == "val" else rows
            continue
        domains += own.domains
        held |= {role: part for role, part in (("fit", own.fit), ("train", own.train)) if part is not None}
    if not domains:
        raise InputError(
            f"{path}: a table of test rows was expected beside {check.shorten(held)}, there is none"
        )
    domains.sort(key=lambda one: (one.shift is not None, one.name != FIRST))
    run = path if (path / "network.json").is_file() else None
    matrix, said = _severity_of(run)
    fit = held.get("fit", held.get("val"))
    return Found(Parts(tuple(domains), fit, held.get("train")), tuple(listed), run, matrix, said=said)


def _marked(rows: Predictions) -> Predictions:
    """Rows of a table that is called val, marked so where nothing else marks them."""
    if "split" in rows.metadata.columns:
        return rows
    return replace(rows, metadata=rows.metadata.with_columns(split=pl.repeat("val", len(rows), eager=True)))


def _tables(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    shown = [file for file in folder.iterdir() if not file.name.startswith(".")]  # others are drafts
    return sorted(file for file in shown if file.suffix.lower() in SUFFIXES and file.is_file())


def _severity_of(run: Path | None) -> tuple[SeverityMatrix | None, tuple[str, ...]]:
    """The matrix a run was trained with, or why there is none."""
    recipe = recipe_of(run)
    if recipe is None or recipe.loss.severity is None:
        return None, ()
    try:
        return severities.read(recipe.loss.severity), ()
    except InputError:
        return None, (f"the severity of the run, {recipe.loss.severity}, is not there any more",)


def recipe_of(run: Path | None) -> Recipe | None:
    """The recipe of a run, None without a run or a recipe."""
    return Recipe.read(run / "recipe.yaml") if run is not None and (run / "recipe.yaml").is_file() else None


def _of_audit(path: Path) -> Found:
    """The audited table with the severity and the critical cells it was audited with."""
    settings = _settings(path / "audit.json")
    table, rows = _audited(path, settings)
    classes = rows.classes
    matrix = None if settings.get("severity") is None else severities.from_dict(settings["severity"], "audit")
    cells = severities.cells(settings["critical"], classes, "audit") if settings.get("critical") else None
    found = _of_file(table)
    fit, said = found.parts.fit, found.said
    if fit is None and settings.get("fit") is not None:
        file = next((file for file in _places(path, str(settings["fit"])) if file.is_file()), None)
        fit = None if file is None else fit_rows(tables.read(file))
        said = () if fit is not None else (f"the fit rows of the audit, {settings['fit']}, were not found",)
    return replace(found, parts=replace(found.parts, fit=fit), severity=matrix, critical=cells, said=said)


def _settings(file: Path) -> dict[str, Any]:
    content = documents.read_json(file, "an audit (JSON)")
    ours = isinstance(content, Mapping) and content.get("schema") == AUDIT
    settings = content.get("settings") if ours else None
    if not isinstance(settings, Mapping) or not isinstance(settings.get("fingerprints"), Mapping):
        raise InputError(f"{file}: an audit of schema {AUDIT} was expected; write it with primum audit")
    return dict(settings)


def _audited(path: Path, settings: Mapping[str, Any]) -> tuple[Path, Predictions]:
    """The file an audit judged, known by its name and its fingerprint."""
    name, wanted = str(settings["name"]), settings["fingerprints"].get("test")
    there = [file for file in _places(path, name) if file.is_file()]
    for file in there:
        rows = select(tables.read(file)).test
        if fingerprint(rows) == wanted:
            return file, rows
    what = "another table lies there" if there else "there is none"
    raise InputError(
        f"{path}: an audit does not hold the probabilities, so the audited table {name} was expected in this "
        f"folder or beside it, {what}; put it there, or name the table with --severity instead"
    )


def _places(path: Path, name: str) -> list[Path]:
    folders = [path, path.parent, path.parent / "predictions", path.parent.parent, Path()]
    return [folder / name for folder in folders]


def _root(found: Found, given: Path | None) -> Path | None:
    """Folder the paths start from: where the first of them is a file, else the likeliest.

    A folder that was given is that one, or the one that holds the data set under its name.
    """
    recipe = recipe_of(found.run)
    likely = [*_of_data(recipe), *dict.fromkeys(file.parent for file in found.tables)]
    if given is not None:
        likely = [given] if recipe is None else [given, given / recipe.data.name]
    for domain in found.parts.domains:
        metadata = domain.predictions.metadata
        first = next(iter(metadata["path"].drop_nulls()), None) if "path" in metadata.columns else None
        if first is not None:
            return next((root for root in likely if (root / first).is_file()), likely[0])
    return given


def _of_data(recipe: Recipe | None) -> list[Path]:
    """Where the images of a run's data may lie."""
    if recipe is None or recipe.data.root is None:
        return []
    root = recipe.data.root
    return [root.parent] if root.suffix else [root, root / recipe.data.name, root.parent]


def _maps(found: Found) -> dict[str, Path]:
    """Domain → folder of its stored maps; they are of images as they are, so of domains without a shift."""
    held = {}
    for domain in found.parts.domains:
        beside = [file.with_suffix(".maps") for file in found.tables if file.stem == domain.name]
        if found.run is not None:
            beside += sorted((found.run / "explanations").glob(f"{domain.name}-*.maps"))
        there = [folder for folder in beside if (folder / "maps.npy").is_file()]
        if there and domain.shift is None:
            held[domain.name] = there[0]
    return held
