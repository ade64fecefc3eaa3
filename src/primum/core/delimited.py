"""Tables in text files, as spreadsheets, databases and data frames write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from primum.core import check, files
from primum.core.check import InputError
from primum.core.names import MISSING

ENDINGS = (".csv", ".tsv", ".txt")
SEPARATORS = ",;\t|"
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
HEAD = 65_536  # characters looked at to tell separator and header
LINES = 30
NUMBER = r"^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$"
DECIMAL = r"^\s*[+-]?\d+(?:,\d+)?\s*$"
THOUSANDS = r"^\s*[+-]?\d{1,3}(?:,\d{3})+\s*$"


def content(path: Path, noun: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 by its mark, with \\n at the end of lines.

    Raises InputError for any other encoding, and for a file that is no text.
    """
    raw = files.existing(path, noun).read_bytes()
    encoding = next((name for mark, name in MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path.name}: text in UTF-8 was expected, line {line} holds a byte of another encoding, perhaps "
            f"Latin-1 or Windows-1252; {_saving(path)}"
        ) from None
    if "\0" in text:
        raise InputError(
            f"{path.name}: {noun} in text was expected, this file holds bytes; save it as CSV UTF-8"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def separator(text: str) -> str:
    """Which of comma, semicolon, tab and bar parts the first lines into as many fields each, and the most.

    >>> separator("id;prob_1\\na;0,5\\n")
    ';'
    """
    lines = [line for line in text[:HEAD].split("\n")[: LINES + 1] if line.strip()]
    if len(text) > HEAD and len(lines) > 1:
        lines = lines[:-1]  # the last may be cut
    best, largest = ",", 1
    for sign in SEPARATORS:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=sign)]
        except csv.Error:
            continue
        if counts and counts[0] > largest and all(count == counts[0] for count in counts):
            best, largest = sign, counts[0]
    if largest == 1:  # no sign parts all lines alike: the commonest of the header
        best = max(SEPARATORS, key=lines[0].count) if lines else ","
    return best


def table(text: str) -> tuple[str, str]:
    """The table within a text, from its header on, and its separator.

    A line ``sep=;``, as one spreadsheet program writes it, names the separator; empty lines and comments
    (``#``) above the header are left out.

    >>> table("sep=;\\n# exported\\nid;label\\na;1")
    ('id;label\\na;1', ';')
    """
    lines, start, sign = text.split("\n"), 0, ""
    while start < len(lines):
        line = lines[start].strip()
        if line.casefold().startswith("sep=") and len(line) == 5:
            sign = line[4]
        elif line.startswith("#") and not _is_header(line, lines[start + 1 : start + 2]):
            pass
        elif line.strip(SEPARATORS + '" '):
            break
        start += 1
    body = "\n".join(lines[start:]) if start else text
    return body, sign or separator(body)


def frame(path: Path, noun: str, text: Callable[[str], bool], numbers: Sequence[str] = ()) -> pl.DataFrame:
    """The table of a text file: columns as text, or as numbers where all of a column are.

    Decimal commas are read where they are no separators. What stands for a missing value is null, in a column
    of numbers too. Empty columns without a name and empty rows at the end are left out.

    Args:
        path: the file. what: what it should be, for messages.
        text: whether to keep a column of that name as text, whatever it holds.
        numbers: beginnings of the names of columns in which a comma can only be a decimal one.

    Raises:
        InputError: for a file that is no table in text, columns of one name, or a header alone.
    """
    name = path.name
    body, sign = table(content(path, noun))
    header = [column.strip() for column in next(csv.reader(io.StringIO(body), delimiter=sign), [])]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise InputError(f"{name}: {noun} was expected, the file holds no table; write a header and rows")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InputError(
            f"{name}: column names must differ, {check.describe(twice, ())} stands more than once"
        )
    # a class may be called "NA" or "none": a name in the header is no missing value below it
    markers = sorted(MISSING - {column.partition("_")[2] for column in header})
    try:
        read = _read(body, sign, header, text, markers)
    except (csv.Error, pl.exceptions.PolarsError, OSError):
        raise InputError(
            f"{name}: rows of {len(header)} fields parted by {_sign_name(sign)} were expected, "
            f"{_odd(body, sign, len(header)) or 'a quote may be open'}; {_saving(path)}"
        ) from None
    read = read.filter(~pl.all_horizontal(pl.all().is_null()))
    if not read.height:
        raise InputError(f"{name}: at least one row is needed, the file holds a header only")
    spelled = [column for column, kind in read.schema.items() if kind == pl.String]
    read = read.with_columns(pl.col(spelled).str.strip_chars())
    return read.with_columns(
        _points(read[column], column.startswith(tuple(numbers)) if numbers else False)
        for column in spelled
        if not text(column)
    )


def _read(
    body: str, sign: str, header: list[str], text: Callable[[str], bool], markers: list[str]
) -> pl.DataFrame:
    written = next(csv.reader(io.StringIO(body), delimiter=sign))
    overrides = {column: pl.String for column, title in zip(written, header, strict=False) if text(title)}
    # the whole column decides its type: a hundred whole numbers say nothing of the rest
    read = pl.read_csv(
        io.BytesIO(body.encode()), separator=sign, infer_schema_length=None, null_values=markers,
        schema_overrides=overrides,
    )  # fmt: skip
    extra = [column for column in read.columns[len(header) :] if read[column].null_count() < read.height]
    if extra:
        raise csv.Error("more fields than names in the header")
    read = read.select(read.columns[: len(header)])
    read.columns = header
    return read


def _points(values: pl.Series, number: bool) -> pl.Series:
    """Numbers for text with decimal commas throughout; as it is where a comma may part thousands."""
    cells = values.drop_nulls()
    if len(cells) and bool(cells.str.contains(NUMBER).all()):  # blanks around hid the numbers
        return values.cast(pl.Float64)
    commas = cells.str.contains(",", literal=True)
    if not len(cells) or not bool(commas.any()) or not bool(cells.str.contains(DECIMAL).all()):
        return values
    # 1,234 throughout may be thousands as well as decimals: it stays text, to be refused
    if not number and bool(cells.filter(commas).str.contains(THOUSANDS).all()):
        return values
    return values.str.replace(",", ".", literal=True).cast(pl.Float64)


def _is_header(line: str, below: Sequence[str]) -> bool:
    """Whether a line that begins with # has as many fields as the one below it, and more than one."""
    sign = max(SEPARATORS, key=line.count)
    return bool(below) and line.count(sign) > 0 and line.count(sign) == below[0].count(sign)


def _odd(body: str, sign: str, fields: int) -> str:
    """Which row has more fields than the header, in words; empty where none has."""
    for row, cells in enumerate(csv.reader(io.StringIO(body), delimiter=sign)):
        if len(cells) > fields and any(cell.strip() for cell in cells[fields:]):
            return f"row {row} has {len(cells)}"
    return ""


def _saving(path: Path) -> str:
    return "save it as CSV UTF-8" if path.suffix.lower() in ENDINGS else "save it as UTF-8"


def _sign_name(sign: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}.get(sign, repr(sign))
