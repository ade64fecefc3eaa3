"""What a verb will write, checked before anything is computed: it replaces no input of the same command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import typer

from primum.core import files
from primum.core.check import InputError

OF_A_RUN = (
    "network.json", "network.safetensors", "confidnet.safetensors", "recipe.yaml", "splits.parquet",
    *(f"predictions/{split}.parquet" for split in ("train", "val", "cal", "test", "shift")),
)  # fmt: skip
OUTPUTS = ("out", "out_fit")  # parameters that name what is written; all others that name files are read


def file_out(context: typer.Context, path: Path) -> Path:
    """The path of a file that a verb will write.

    Raises InputError for a folder, a device or a pipe, a place that cannot be written to, and for a file that
    the same command reads.
    """
    place = _replaceable(path)
    _refuse_input(context, place, path)
    return path


def folder_out(context: typer.Context, path: Path, *names: str) -> Path:
    """The folder that a verb will write files of these names into; raises InputError as :func:`file_out`."""
    above = next(place for place in (path, *path.parents, Path()) if os.path.lexists(place))
    if not above.is_dir():
        raise InputError(f"--out {path}: a folder was expected, {above} is a file; name another")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"--out {path}: {above} may not be written to; name another folder")
    for name in names:
        _refuse_input(context, _replaceable(path / name), path)
    return path


def _replaceable(place: Path) -> Path:
    try:
        return files.replaceable(place)
    except InputError as error:
        raise InputError(f"--out: {error}") from None


def _refuse_input(context: typer.Context, place: Path, option: Path) -> None:
    for source in _inputs(context):
        if place.exists() and source.exists() and place.samefile(source):
            raise InputError(
                f"--out {option}: {source} is read by this command and would be replaced; name another place"
            )


def _inputs(context: typer.Context) -> Iterator[Path]:
    """Every file that a parameter of the running command names, but for its outputs; of a run all its own."""
    for name, value in context.params.items():
        for text in value if isinstance(value, list | tuple) else (value,):
            if name not in OUTPUTS and isinstance(text, str | Path) and str(text):
                yield from filter(_is_file, (Path(text), *(Path(text) / part for part in OF_A_RUN)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name of a file at all
        return False


def results_out(context: typer.Context, out: Path) -> Path:
    """The folder of the results, in which nothing but results of this kind is replaced."""
    from primum.auditing.output import PARTS, refuse_foreign

    folder = folder_out(context, out, *PARTS)
    refuse_foreign(folder)
    return folder
