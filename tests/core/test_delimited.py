"""Tables in text as programs write them: separators, decimal commas, encodings, and what stands around."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from primum import severity, tables
from primum.core import delimited

N = 40


def rows() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    p = np.round(rng.uniform(0.01, 0.99, N), 4)
    return pl.DataFrame(
        {
            "id": [f"{i:03d}" for i in range(N)], "label": (rng.random(N) < p).astype(int),
            "prob_0": np.round(1 - p, 4), "prob_1": p, "age": np.round(rng.uniform(20, 90, N), 1),
        }
    )  # fmt: skip


def commas(text: str, sign: str) -> str:
    """Decimal commas in the columns of numbers of a table that is parted by another sign."""
    return "\n".join(
        sign.join(cell.replace(".", ",") for cell in line.split(sign)) for line in text.split("\n")
    )


PLAIN = rows().write_csv()
WRITTEN: dict[str, bytes] = {
    "plain": PLAIN.encode(),
    "utf-8 mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "utf-16 little": PLAIN.encode("utf-16"),
    "utf-16 big": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "tabs": rows().write_csv(separator="\t").encode(),
    "bars": rows().write_csv(separator="|").encode(),
    "semicolons": rows().write_csv(separator=";").encode(),
    "semicolons, decimal commas": commas(rows().write_csv(separator=";"), ";").encode(),
    "tabs, decimal commas, utf-16": commas(rows().write_csv(separator="\t"), "\t").encode("utf-16"),
    "quoted decimal commas": "\n".join(
        line if not at else ",".join(f'"{cell.replace(".", ",")}"' for cell in line.split(","))
        for at, line in enumerate(PLAIN.strip().split("\n"))
    ).encode(),
    "windows": PLAIN.replace("\n", "\r\n").encode(),
    "old mac": PLAIN.replace("\n", "\r").encode(),
    "sep line": b"sep=;\n" + rows().write_csv(separator=";").encode(),
    "empty lines above": b"\n\n" + PLAIN.encode() + b"\n\n",
    "comments above": b"# exported 2024\n# by a tool, version 2\n" + PLAIN.encode(),
    "empty columns": "\n".join(line + ",," for line in PLAIN.strip().split("\n")).encode(),
    "empty rows": PLAIN.encode() + b",,,,\n,,,,\n",
    "blanks": PLAIN.replace(",", " , ").encode(),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("ending", [".csv", ".txt"])
def test_a_table_is_the_same_however_it_is_written(how: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{ending}"
    path.write_bytes(WRITTEN[how])
    found, expected = tables.read(path), rows()
    assert found.ids.to_list() == expected["id"].to_list()
    assert found.labels.tolist() == expected["label"].to_list()
    np.testing.assert_allclose(found.probs, expected.select("prob_0", "prob_1").to_numpy(), atol=1e-12)
    assert found.metadata["age"].to_list() == expected["age"].to_list()


def test_a_comma_that_may_part_thousands_stays_text(tmp_path: Path) -> None:
    text = "id;label;prob_0;prob_1;cells;grade\n" + "".join(
        f"c{i};{i % 2};0,250;0,750;1,{i:03d};2,5\n" for i in range(10)
    )
    (tmp_path / "t.csv").write_text(text)
    found = tables.read(tmp_path / "t.csv")
    assert found.probs[0].tolist() == pytest.approx([0.25, 0.75])  # a probability has no thousands
    assert found.metadata["cells"].to_list()[3] == "1,003"
    assert found.metadata["grade"].to_list()[0] == 2.5


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("39 %", ("row 2", "'39 %'", "shares between 0 and 1")),
        ("1.234,5", ("row 2", "'1.234,5'", "decimal")),
        ("high", ("row 2", "'high'")),
        ("x" * 90, ("row 2 with text",)),
        ("DOE^JANE", ("row 2 with text",)),
        ("19450321 a", ("row 2 with text",)),
        ("", ("row 2", "empty")),
        ("NA", ("row 2", "empty")),
    ],
)
def test_the_first_cell_that_is_no_number_is_shown(
    cell: str, texts: tuple[str, ...], tmp_path: Path, refused: Callable[..., None]
) -> None:
    (tmp_path / "t.csv").write_text(f'id,label,prob_0,prob_1\na,0,0.7,0.3\nb,1,"{cell}",0.9\n')
    refused(lambda: tables.read(tmp_path / "t.csv"), "column prob_0 must hold a finite number", *texts)


def test_another_encoding_is_named(tmp_path: Path, refused: Callable[..., None]) -> None:
    (tmp_path / "t.csv").write_bytes(
        "id,label,prob_a,prob_b\nx,a,0.5,0.5\nMüller,b,0.5,0.5\n".encode("latin-1")
    )
    refused(lambda: tables.read(tmp_path / "t.csv"), "line 3", "Latin-1", "save it as CSV UTF-8")
    (tmp_path / "b.csv").write_bytes(b"id,label\n\x00\x01\n")
    refused(lambda: tables.read(tmp_path / "b.csv"), "this file holds bytes")


def test_rows_of_other_lengths_are_refused(tmp_path: Path, refused: Callable[..., None]) -> None:
    (tmp_path / "t.csv").write_text("id,label,prob_0,prob_1\na,0,0,7,0,3\nb,1,0,1,0,9\n")
    refused(
        lambda: tables.read(tmp_path / "t.csv"),
        "rows of 4 fields parted by commas were expected, row 1 has 6",
    )


def test_the_separator_parts_every_line_alike() -> None:
    assert delimited.separator('id;note;p\na;"x, y";0,5\nb;z;0,4\n') == ";"
    assert delimited.separator("id,p\na,0.5\n") == ","
    assert delimited.separator("#id\tp\na\t0.5\n") == "\t"
    assert delimited.table("#id,p\na,0.5\n")[0].startswith("#id")


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_a_severity_matrix_may_have_decimal_commas(
    sign: str, tmp_path: Path, refused: Callable[..., None]
) -> None:
    (tmp_path / "s.csv").write_text(f"{sign}a{sign}b\na{sign}0{sign}1,5\nb{sign}10,25{sign}0\n")
    assert severity.read(tmp_path / "s.csv").cost.tolist() == [[0, 1.5], [10.25, 0]]
    (tmp_path / "s.csv").write_text(f"{sign}a{sign}b\na{sign}0{sign}high\nb{sign}1{sign}0\n")
    refused(lambda: severity.read(tmp_path / "s.csv"), "every cost must be a number", "'high'")
