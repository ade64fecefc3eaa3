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
from primum.explore.domains import TableParts, split_table
from primum.explore.scene import Domain, Scene, build_scene
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
class Target:
    """What a path named on the command line contains.

    Attributes:
        parts: its rows. tables: the files they came from, for the folders of paths and maps.
        run: folder with a network, or None. severity, critical, notes: what it tells of itself.
    """

    parts: TableParts
    tables: tuple[Path, ...]
    run: Path | None = None
    severity: SeverityMatrix | None = None
    critical: Bools | None = None
    notes: tuple[str, ...] = ()


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
    training = None if train is None else _training(train)
    names = [files.real(path).name for path in paths] if len(paths) == 1 else _distinct_names(paths)
    return [
        _scene(path, name, images=images, train=training, matrix=matrix, cache=cache)
        for path, name in zip(paths, names, strict=True)
    ]


def _scene(
    path: Path,
    name: str,
    *,
    images: Path | None,
    train: Predictions | None,
    matrix: SeverityMatrix | None,
    cache: Path | None,
) -> Scene:
    target = _read_target(path)
    source = target if matrix is None else replace(target, severity=matrix, critical=None)
    result = build_scene(
        name,
        source.parts.domains,
        fit=source.parts.fit,
        train=source.parts.train if train is None else train,
        severity=source.severity,
        critical=source.critical,
        images_root=_root(source, images),
        maps=_maps(source),
        run=source.run,
        cache=cache,
    )
    return replace(result, notes=result.notes + target.notes)


def _distinct_names(paths: Sequence[Path]) -> list[str]:
    """What is not common to all paths, from the first to the last part that differs."""
    split = [files.real(path).parts for path in paths]
    while len({pieces[0] for pieces in split}) == 1 and min(map(len, split)) > 1:
        split = [pieces[1:] for pieces in split]
    while len({pieces[-1] for pieces in split}) == 1 and min(map(len, split)) > 1:
        split = [pieces[:-1] for pieces in split]
    return ["/".join(pieces) for pieces in split]


def _training(path: Path) -> Predictions:
    table = tables.read(path)
    return split_table(table, path.stem).train or table


def _read_target(path: Path) -> Target:
    if not path.exists():
        raise InputError(f"{path}: a run, an audit or a table of predictions was expected, there is nothing")
    if path.is_file():
        return _of_file(path)
    if (path / "audit.json").is_file():
        return _of_audit(path)
    return _of_folder(path)


def _of_file(path: Path) -> Target:
    """A table; of one among the predictions of a run, the run's other tables are used beside it."""
    content = split_table(tables.read(path), path.stem)
    run = path.parent.parent if path.parent.name in ("predictions", "scores") else None
    if run is None or not (run / "network.json").is_file():
        return Target(content, (path,))
    run_content = _of_folder(run)
    completed = replace(
        content,
        fit=content.fit or run_content.parts.fit,
        train=content.train or run_content.parts.train,
    )
    return replace(run_content, parts=completed, tables=(path,))


def _of_folder(path: Path) -> Target:
    """A run, or any folder of tables."""
    scored_files = [file for file in _tables(path / "scores") if file.suffix == ".parquet"]
    listed = _tables(path / "predictions") or _tables(path)
    if scored_files:  # a bench asked this run about every shift; of its own tables the training rows are left
        listed = [file for file in listed if ROLES.get(file.stem) == "train"] + scored_files
    if not listed:
        raise InputError(
            f"{path}: tables of predictions ({', '.join(SUFFIXES)}) were expected here, there are none"
        )
    domains: list[Domain] = []
    by_role: dict[str, Predictions] = {}
    for file in listed:
        content = split_table(tables.read(file), file.stem)
        role = ROLES.get(file.stem)
        if role is not None:
            rows = tables.read(file) if len(content.domains) != 1 else content.domains[0].predictions
            by_role[role] = _mark_validation(rows) if role == "val" else rows
            continue
        domains += content.domains
        by_role |= {
            role: part for role, part in (("fit", content.fit), ("train", content.train)) if part is not None
        }
    if not domains:
        raise InputError(
            f"{path}: a table of test rows was expected beside {check.shorten(by_role)}, there is none"
        )
    domains.sort(key=lambda domain: (domain.shift is not None, domain.name != FIRST))
    run = path if (path / "network.json").is_file() else None
    matrix, notes = _training_severity(run)
    fit = by_role.get("fit", by_role.get("val"))
    return Target(
        TableParts(tuple(domains), fit, by_role.get("train")), tuple(listed), run, matrix, notes=notes
    )


def _mark_validation(rows: Predictions) -> Predictions:
    """Rows of a table that is called val, marked so where nothing else marks them."""
    if "split" in rows.metadata.columns:
        return rows
    return replace(rows, metadata=rows.metadata.with_columns(split=pl.repeat("val", len(rows), eager=True)))


def _tables(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    visible = [file for file in folder.iterdir() if not file.name.startswith(".")]  # others are drafts
    return sorted(file for file in visible if file.suffix.lower() in SUFFIXES and file.is_file())


def _training_severity(run: Path | None) -> tuple[SeverityMatrix | None, tuple[str, ...]]:
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


def _of_audit(path: Path) -> Target:
    """The audited table with the severity and the critical cells it was audited with."""
    settings = _settings(path / "audit.json")
    table, rows = _audited_table(path, settings)
    classes = rows.classes
    matrix = None if settings.get("severity") is None else severities.from_dict(settings["severity"], "audit")
    cells = severities.cells(settings["critical"], classes, "audit") if settings.get("critical") else None
    target = _of_file(table)
    fit, notes = target.parts.fit, target.notes
    if fit is None and settings.get("fit") is not None:
        file = next((file for file in _places(path, str(settings["fit"])) if file.is_file()), None)
        fit = None if file is None else fit_rows(tables.read(file))
        notes = () if fit is not None else (f"the fit rows of the audit, {settings['fit']}, were not found",)
    return replace(target, parts=replace(target.parts, fit=fit), severity=matrix, critical=cells, notes=notes)


def _settings(file: Path) -> dict[str, Any]:
    content = documents.read_json(file, "an audit (JSON)")
    recognised = isinstance(content, Mapping) and content.get("schema") == AUDIT
    settings = content.get("settings") if recognised else None
    if not isinstance(settings, Mapping) or not isinstance(settings.get("fingerprints"), Mapping):
        raise InputError(f"{file}: an audit of schema {AUDIT} was expected; write it with primum audit")
    return dict(settings)


def _audited_table(path: Path, settings: Mapping[str, Any]) -> tuple[Path, Predictions]:
    """The file an audit judged, known by its name and its fingerprint."""
    name, expected = str(settings["name"]), settings["fingerprints"].get("test")
    candidates = [file for file in _places(path, name) if file.is_file()]
    for file in candidates:
        rows = select(tables.read(file)).test
        if fingerprint(rows) == expected:
            return file, rows
    reason = "another table lies there" if candidates else "there is none"
    raise InputError(
        f"{path}: an audit does not hold the probabilities, so the audited table {name} was expected in this "
        f"folder or beside it, {reason}; put it there, or name the table with --severity instead"
    )


def _places(path: Path, name: str) -> list[Path]:
    folders = [path, path.parent, path.parent / "predictions", path.parent.parent, Path()]
    return [folder / name for folder in folders]


def _root(target: Target, folder: Path | None) -> Path | None:
    """Folder the paths start from: where the first of them is a file, else the likeliest.

    A folder that was given is that one, or the one that holds the data set under its name.
    """
    recipe = recipe_of(target.run)
    likely = [*_of_data(recipe), *dict.fromkeys(file.parent for file in target.tables)]
    if folder is not None:
        likely = [folder] if recipe is None else [folder, folder / recipe.data.name]
    for domain in target.parts.domains:
        metadata = domain.predictions.metadata
        first = next(iter(metadata["path"].drop_nulls()), None) if "path" in metadata.columns else None
        if first is not None:
            return next((root for root in likely if (root / first).is_file()), likely[0])
    return folder


def _of_data(recipe: Recipe | None) -> list[Path]:
    """Where the images of a run's data may lie."""
    if recipe is None or recipe.data.root is None:
        return []
    root = recipe.data.root
    return [root.parent] if root.suffix else [root, root / recipe.data.name, root.parent]


def _maps(target: Target) -> dict[str, Path]:
    """Domain → folder of its stored maps; they are of images as they are, so of domains without a shift."""
    maps = {}
    for domain in target.parts.domains:
        folders = [file.with_suffix(".maps") for file in target.tables if file.stem == domain.name]
        if target.run is not None:
            folders += sorted((target.run / "explanations").glob(f"{domain.name}-*.maps"))
        stored = [folder for folder in folders if (folder / "maps.npy").is_file()]
        if stored and domain.shift is None:
            maps[domain.name] = stored[0]
    return maps
