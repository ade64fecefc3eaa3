"""Bad input on the command line: one sentence, exit code 2, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum import cli
from tests.conftest import CLASSES, made_table

Run = Callable[..., tuple[int, str, str]]
PROBS = [f"prob_{name}" for name in CLASSES]
TABLE = made_table(120)
TEST, CAL = TABLE.filter(split="test"), TABLE.filter(split="cal")
EARLIER = '{"schema": "primum.audit/1"}'
LOGITS = TABLE.rename({f"prob_{name}": f"logit_{name}" for name in CLASSES})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["primum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def refused(run: Run, *arguments: Any, says: str) -> None:
    """The command ends with one sentence that holds ``says``, code 2 and no file more than before."""
    before = sorted(Path().rglob("*"))
    code, out, err = run(*arguments)
    assert code == 2, err
    assert err.startswith("primum: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    assert says in err
    assert out == ""
    assert sorted(Path().rglob("*")) == before


def with_value(frame: pl.DataFrame, column: str, value: Any, row: int = 3) -> pl.DataFrame:
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values))


def without_test_labels_but(label: str) -> pl.DataFrame:
    return TABLE.with_columns(label=pl.lit(label))


BAD_TABLES: dict[str, tuple[pl.DataFrame, str]] = {
    "no id": (TABLE.drop("id"), "a column id with one unique value per case is needed"),
    "missing id": (with_value(TABLE, "id", None), "every case needs an id, 1 have none"),
    "blank id": (with_value(TABLE, "id", "  "), "every case needs an id, 1 have none"),
    "duplicate id": (
        with_value(TABLE, "id", "case-00000"),
        "ids must be unique, 1 rows repeat one (first in row 1)",
    ),
    "NaN logit": (with_value(LOGITS, "logit_naevus", float("nan")), "finite"),
    "infinite logit": (with_value(LOGITS, "logit_naevus", float("inf")), "first in row 4"),
    "both infinities": (
        with_value(with_value(LOGITS, "logit_naevus", float("inf")), "logit_melanoma", float("-inf"), 5),
        "arrived in 2 rows",
    ),
    "empty logit": (
        with_value(LOGITS, "logit_naevus", None),
        "must hold a finite number in every row, 1 do not",
    ),
    "text for a logit": (
        LOGITS.with_columns(
            pl.col("logit_naevus").cast(pl.String).replace(str(LOGITS["logit_naevus"][3]), "n/a")
        ),
        "column logit_naevus must hold a finite number in every row, 1 do not, first in row 4",
    ),
    "NaN probability": (with_value(TABLE, "prob_naevus", float("nan")), "finite"),
    "negative probability": (with_value(TABLE, "prob_naevus", -0.25), "must lie in [0, 1], -0.25 arrived"),
    "probability above 1": (with_value(TABLE, "prob_naevus", 1.5), "must lie in [0, 1], 1.5 arrived"),
    "percent": (TABLE.with_columns(pl.col(PROBS) * 100), "must lie in [0, 1]"),
    "off their sum": (TABLE.with_columns(pl.col("prob_naevus") * 0.9), "must sum to 1"),
    "independent outputs": (
        TABLE.with_columns(pl.lit(0.9).alias("prob_naevus")),
        "several independent labels",
    ),
    "unknown label": (with_value(TABLE, "label", "melanom"), "'melanom' (did you mean 'melanoma'?) arrived"),
    "several labels": (with_value(TABLE, "label", "naevus|melanoma"), "one label per case is expected"),
    "several label columns": (
        TABLE.drop("label").with_columns(label_naevus=1, label_melanoma=1),
        "one column of 0 and 1 for every class",
    ),
    "no probabilities": (
        TABLE.drop(PROBS),
        "a column prob_<class> or logit_<class> for every class is needed",
    ),
    "one class of outputs": (
        LOGITS.drop("logit_keratosis", "logit_melanoma", "logit_carcinoma"),
        "at least two",
    ),
    "one class of labels": (without_test_labels_but("naevus"), "at least two classes are needed"),
    "no label": (TABLE.drop("label"), "needs a label"),
    "empty labels": (TABLE.with_columns(label=pl.lit(None, pl.String)), "needs a label"),
    "unknown split": (with_value(TABLE, "split", "tset"), "'tset' (did you mean 'test'?) arrived"),
    "no test rows": (CAL, "no row is marked split=test"),
    "no rows": (TABLE.clear(), "is needed, the "),
    "patient on both sides": (
        with_value(TABLE, "patient", TEST["patient"][0], 0),
        "no patient may stand in both",
    ),
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("what", BAD_TABLES)
def test_bad_tables(run: Run, what: str, kind: str) -> None:
    frame, says = BAD_TABLES[what]
    frame.write_csv("t.csv") if kind == "csv" else frame.write_parquet("t.parquet")
    refused(run, "audit", f"t.{kind}", "--out", "deep/out", says=says)


def test_several_labels_in_a_list_column(run: Run) -> None:
    TABLE.with_columns(label=pl.concat_list("label", "label")).write_parquet("t.parquet")
    refused(run, "audit", "t.parquet", says="one label per case is expected, column label holds several")


def test_patient_names_are_never_printed(run: Run) -> None:
    TABLE.write_csv("t.csv")
    for arguments in (["--columns", "label=patient"], ["--columns", "decision=patient"], ["--by", "patint"]):
        code, out, err = run("audit", "t.csv", *arguments)
        assert code == 2
        assert not [name for name in TABLE["patient"].to_list() if f"'{name}'" in out + err]


GARBAGE = bytes(range(256)) * 4
BAD_FILES = {
    "0 bytes.csv": (b"", "the file is empty"),
    "0 bytes.parquet": (b"", "the file is empty"),
    "0 bytes.npz": (b"", "the file is empty"),
    "header.csv": (b"id,label,prob_a,prob_b\n", "a header only"),
    "garbage.csv": (GARBAGE, "text in UTF-8 was expected"),
    "garbage.parquet": (GARBAGE, "not a readable Parquet file"),
    "garbage.npz": (GARBAGE, "not a readable NPZ file"),
    "png.parquet": (b"\x89PNG\r\n\x1a\n" + GARBAGE, "not a readable Parquet file"),
    "cut.npz": (b"PK\x03\x04" + GARBAGE, "not a readable NPZ file"),
    "ragged.csv": (b"id,label,prob_a,prob_b\n1,a,0.5,0.5\n2,b,0.5,0.5,9,9\n", "row 2 has 6"),
    "twice.csv": (b"id,label,prob_a,prob_a\n1,a,0.5,0.5\n", "'prob_a' stands more than once"),
    "latin.csv": (
        "id,label,prob_a,prob_b\n1,ä,0.5,0.5\n".encode("latin-1"),
        "line 2 holds a byte",
    ),
    "table.xlsx": (GARBAGE, "ends in .parquet, .csv, .tsv, .txt or .npz, .xlsx arrived"),
    "table": (GARBAGE, "ends in .parquet, .csv, .tsv, .txt or .npz, no ending arrived"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(run: Run, name: str) -> None:
    content, says = BAD_FILES[name]
    Path(name).write_bytes(content)
    refused(run, "audit", name, says=says)


def test_a_parquet_file_cut_short_or_damaged(run: Run) -> None:
    TABLE.write_parquet("t.parquet")
    whole = Path("t.parquet").read_bytes()
    Path("t.parquet").write_bytes(whole[: len(whole) // 2])
    refused(run, "audit", "t.parquet", says="not a readable Parquet file")


def test_damage_inside_our_own_parquet_is_noticed(run: Run) -> None:
    from primum import tables

    tables.write(tables.read(TABLE), "t.parquet")
    content = bytearray(Path("t.parquet").read_bytes())
    content[len(content) // 4] ^= 0xFF
    Path("t.parquet").write_bytes(content)
    refused(run, "audit", "t.parquet", says="not a readable Parquet file")


def test_an_archive_with_objects_inside(run: Run) -> None:
    np.savez("t.npz", ids=np.array([{"a": 1}], dtype=object), probs=np.eye(2))
    refused(run, "audit", "t.npz", says="numbers and text were expected, objects arrived")
    np.save("single.npy", np.eye(2))
    Path("single.npy").rename("single.npz")
    refused(run, "audit", "single.npz", says="a single array arrived")


@pytest.mark.parametrize("name", ["ids", "labels", "classes", "probs", "patient", "score_own", "embeddings"])
def test_an_archive_with_a_single_value_where_there_should_be_many(name: str, run: Run) -> None:
    arrays = {
        "ids": np.arange(4),
        "labels": np.arange(4) % 2,
        "classes": np.array(["a", "b"]),
        "probs": np.full((4, 2), 0.5),
    }
    np.savez("t.npz", **(arrays | {name: np.array(3.0)}))
    refused(run, "audit", "t.npz", says=name)


def test_a_circle_of_links_is_refused_by_every_verb_that_reads_tables(run: Run) -> None:
    TEST.write_csv("good.csv")
    Path("loop.csv").symlink_to("loop.csv")
    for line in (
        "audit loop.csv",
        "compare good.csv loop.csv",
        "explore loop.csv",
        "explore good.csv loop.csv",
        "ensemble good.csv loop.csv --out e.parquet",
        "ensemble good.csv good.csv --fit . --fit . --out e",
        "defer fit loop.csv --capacity 0.2",
        "data check manifest --root loop.csv",
        "train loop.csv",
        "predict loop.csv --data phantom --out p.parquet",
    ):
        code, _, err = run(*line.split())
        assert (code, err.startswith("primum: ")) == (2, True), (line, err)


@pytest.mark.parametrize("verb", [["audit"], ["compare", "good.csv"]], ids=["audit", "compare"])
def test_missing_files_and_folders(run: Run, verb: list[str]) -> None:
    TABLE.write_csv("good.csv")
    Path("folder.csv").mkdir()
    refused(run, *verb, "nothing.csv", says="there is no such file")
    refused(run, *verb, "folder.csv", says="this is a folder")


def test_fit_rows(run: Run) -> None:
    TEST.write_csv("test.csv")
    CAL.write_csv("cal.csv")
    CAL.with_columns(id=TEST["id"].head(len(CAL)).append(CAL["id"]).head(len(CAL))).write_csv("ids.csv")
    CAL.with_columns(patient=pl.lit(TEST["patient"][0])).write_csv("patients.csv")
    CAL.with_columns(split=pl.lit("train")).write_csv("train.csv")
    CAL.with_columns(label=pl.lit("naevus")).write_csv("one.csv")
    CAL.rename({"prob_naevus": "prob_mole"}).with_columns(label=pl.lit("mole")).write_csv("classes.csv")
    LOGITS.filter(split="cal").write_csv("logits.csv")
    refused(run, "audit", "test.csv", "--fit", "ids.csv", says="no id may stand in both")
    refused(run, "audit", "test.csv", "--fit", "patients.csv", says="no patient may stand in both")
    refused(run, "audit", "test.csv", "--fit", "test.csv", says="neither train nor test rows")
    refused(run, "audit", "test.csv", "--fit", "train.csv", says="neither train nor test rows")
    refused(run, "audit", "test.csv", "--fit", "one.csv", says="at least two classes")
    refused(run, "audit", "test.csv", "--fit", "classes.csv", says="naevus missing and mole unknown")
    refused(run, "audit", "test.csv", "--fit", "logits.csv", says="both hold logits or both probabilities")
    refused(run, "audit", "test.csv", "--fit", "nothing.csv", says="there is no such file")
    refused(run, "audit", "test.csv", "--fit", "cal.csv", "--fit", "cal.csv", says="one table is expected, 2")
    refused(run, "compare", "test.csv", "test.csv", "--fit", "cal.csv", says="are expected, 1 arrived")


def test_ids_shared_as_number_and_as_text_are_still_shared(run: Run) -> None:
    TEST.with_columns(id=pl.Series(range(len(TEST)))).drop("split").write_parquet("test.parquet")
    shared = CAL.with_columns(id=pl.Series([float(i) for i in range(len(CAL))])).drop("split", "patient")
    shared.write_parquet("cal.parquet")
    refused(run, "audit", "test.parquet", "--fit", "cal.parquet", says=f"{len(CAL)} do")


BAD_SEVERITY = {
    "other classes": ("classes: [a, b]\ncost: [[0, 1], [1, 0]]", "class names must match those of good.csv"),
    "not square": (
        "classes: [naevus, keratosis, melanoma, carcinoma]\ncost: [[0, 1], [1, 0]]",
        "4 classes need a 4×4 cost matrix, 2×2 arrived",
    ),
    "ragged": ("classes: [a, b]\ncost: [[0, 1], [1]]", "the cost matrix must be square"),
    "oblong": ("classes: [a, b]\ncost: [[0, 1, 2], [1, 0, 2]]", "must be square, 2×3 arrived"),
    "negative": ("classes: [a, b]\ncost: [[0, -1], [1, 0]]", "cannot be negative, -1 arrived for a called b"),
    "diagonal": ("classes: [a, b]\ncost: [[1, 1], [1, 0]]", "a right answer must cost 0"),
    "infinite": ("classes: [a, b]\ncost: [[0, .inf], [1, 0]]", "costs must be finite"),
    "text": ("classes: [a, b]\ncost: [[0, much], [1, 0]]", "the cost matrix must be square"),
    "not YAML": ("classes: [a, b", "this is not valid YAML"),
    "no keys": ("- a\n- b", "needs keys such as 'classes' and 'cost'"),
    "empty": ("", "the file is empty"),
}


@pytest.mark.parametrize("what", BAD_SEVERITY)
def test_bad_severity(run: Run, what: str) -> None:
    content, says = BAD_SEVERITY[what]
    TABLE.write_csv("good.csv")
    Path("s.yaml").write_text(content)
    refused(run, "audit", "good.csv", "--severity", "s.yaml", says=says)
    if what not in ("other classes", "empty"):
        refused(run, "severity", "check", "s.yaml", says=says)


BAD_OPTIONS = {
    "--severity isic2019": "neither a file nor a preset (brain_tumor_mri, breakhis,",
    "--severity folder.yaml": "this is a folder",
    "--severity noise.yaml": "text in UTF-8 was expected",
    "--severity noise.csv": "text in UTF-8 was expected",
    "--severity isic2018": "class names must match those of good.csv",
    "--limits nothing.yaml": "there is no such file",
    "--limits noise.yaml": "a byte of another encoding",
    "--limits unknown.yaml": "finding 'cerr' is not known (did you mean 'cer'?)",
    "--limits list.yaml": "limits are lines such as",
    "--limits text.yaml": "the max of cer must be a number",
    "--prior naevus": "NAME=VALUE,NAME=VALUE was expected",
    "--prior naevus=x": "a number was expected for naevus",
    "--prior naevus=2": "a prior is a number in [0, 1]",
    "--prior naevus=nan": "a prior is a number in [0, 1]",
    "--prior mole=0.5": "class 'mole' is not known",
    "--prior naevus=0.5": "every class but one needs a prior",
    "--prior naevus=0.5,naevus=0.5": "naevus stands twice",
    "--prior naevus=.5,keratosis=.5,melanoma=.5": "priors must sum to 1",
    "--critical melanoma": "TRUE:PREDICTED was expected",
    "--critical melanoma:mole": "class 'mole' is not known",
    "--critical melanoma:melanoma": "TRUE and PREDICTED must differ",
    "--by sitee": "--by sitee: the table has no such column (did you mean 'site'?)",
    "--columns id=uid": "column 'uid', mapped to id, is not in the table",
    "--columns id": "NAME=VALUE,NAME=VALUE was expected",
    "--bootstrap 0": "a whole number from 100 to 100000 was expected",
    "--bootstrap -5": "a whole number from 100 to 100000 was expected",
    "--seed -1": "--seed: a whole number from 0 to 4294967295 was expected",
    "--out file": "a folder was expected, file is a file",
    "--out file/deep/er": "a folder was expected, file is a file",
}


@pytest.mark.parametrize("options", BAD_OPTIONS)
def test_bad_options(run: Run, options: str) -> None:
    TABLE.write_csv("good.csv")
    Path("folder.yaml").mkdir()
    for name in ("noise.yaml", "noise.csv"):
        Path(name).write_bytes(GARBAGE)
    Path("unknown.yaml").write_text("cerr: {max: 0.1}")
    Path("list.yaml").write_text("- cer")
    Path("text.yaml").write_text("cer: {max: low}")
    Path("file").write_text("kept")
    refused(run, "audit", "good.csv", *options.split(" "), says=BAD_OPTIONS[options])


def test_too_many_groups(run: Run) -> None:
    made_table(300).drop("split").write_csv("t.csv")
    refused(run, "audit", "t.csv", "--by", "id", says="no such column")
    refused(
        run, "audit", "t.csv", "--by", "patient", says="at most 100 groups can be judged, 150 values arrived"
    )


def test_a_comparison_of_other_cases(run: Run) -> None:
    TABLE.write_csv("a.csv")
    TABLE.head(len(TABLE) - 1).write_csv("fewer.csv")
    swapped = TABLE.with_columns(
        label=pl.when(pl.col("id") == TEST["id"][0]).then(pl.lit(other(TEST["label"][0]))).otherwise("label")
    )
    swapped.write_csv("labels.csv")
    refused(run, "compare", "a.csv", "fewer.csv", says="1 stand on one side only")
    refused(run, "compare", "a.csv", "labels.csv", says="the labels of 1 cases differ")


def other(label: str) -> str:
    return next(name for name in CLASSES if name != label)


def test_an_earlier_result_stays_after_a_failing_run(run: Run) -> None:
    Path("out").mkdir()
    for name in ("audit.json", "cases.parquet", "report.html"):
        (Path("out") / name).write_text(EARLIER)
    with_value(TABLE, "prob_naevus", float("nan")).write_csv("t.csv")
    refused(run, "audit", "t.csv", "--out", "out", says="finite number")
    assert [path.read_text() for path in Path("out").iterdir()] == [EARLIER] * 3


@pytest.mark.parametrize(
    "arguments",
    [
        "audit",
        "audit t.csv --bogus",
        "audit t.csv --bootstrap many",
        "compare t.csv",
        "nonsense",
        "severity check",
    ],
)
def test_usage_errors(run: Run, arguments: str) -> None:
    code, _, err = run(*arguments.split(" "))
    assert code == 2
    assert "Usage: primum" in err
    assert "Traceback" not in err
    assert list(Path().iterdir()) == []


def test_from_a_real_shell(tmp_path: Path) -> None:
    with_value(TABLE, "prob_naevus", float("nan")).write_csv(tmp_path / "t.csv")
    command = [sys.executable, "-c", "from primum.cli import main; main()", "audit", "t.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "primum: t.csv: column prob_naevus must hold a finite number in every row, 1 do not, "
        "first in row 4 where it is empty; remove or repair them\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


BEFORE = "defer fit cal.parquet --capacity 0.2 --out p.yaml"
OVER_INPUTS = (
    "defer fit cal.csv --capacity 0.2 --out cal.csv",
    "defer apply p.yaml t.parquet --out t.parquet",
    "defer apply p.yaml t.parquet --out p.yaml",
    "defer apply p.yaml t.parquet --out link.csv",
    "audit cases.parquet --bootstrap 100 --out .",
    "audit t.parquet --members cases.parquet --bootstrap 100 --out .",
    "compare t.parquet cases.parquet --bootstrap 100 --out .",
    "ensemble t.parquet cases.parquet --out t.parquet",
    "ensemble t.parquet cases.parquet --fit cal.parquet --fit cal.parquet --out-fit cal.parquet --out e",
    "audit t.parquet --bootstrap 100 --out foreign",
    "defer fit cal.parquet --capacity 0.2 --out /dev/null",
    "defer fit cal.parquet --capacity 0.2 --out pipe",
    "predict run --data phantom --out /dev/full",
    "predict run --data phantom --out run/network.json",
    "explain run --data phantom --out run/predictions/test.parquet",
    "audit t.parquet --bootstrap 100 --out taken",
)


def test_an_output_replaces_no_input_and_no_device(run: Run) -> None:
    for name in ("t.parquet", "cases.parquet"):
        TEST.write_parquet(name)
    CAL.write_parquet("cal.parquet")
    CAL.write_csv("cal.csv")
    Path("link.csv").symlink_to("t.parquet")
    os.mkfifo("pipe")
    Path("foreign").mkdir()
    (Path("foreign") / "report.html").write_text("a letter")
    for name in ("run/network.json", "run/predictions/test.parquet", "taken/audit.json/inside"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("{}")
    assert run(*BEFORE.split())[0] == 0
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    for line in OVER_INPUTS:
        refused(run, *line.split(), says="--out" if "foreign" not in line else "would be replaced")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    assert Path("/dev/null").is_char_device()


def test_an_audit_over_an_audit_is_no_foreign_file(run: Run) -> None:
    TEST.write_csv("t.csv")
    for _ in range(2):
        assert run("audit", "t.csv", "--bootstrap", 100, "--out", "o")[0] == 0


NAMES = ("DOE^JANE", "19450321", "MRN4711")


@pytest.mark.parametrize(
    ("rows", "arguments"),
    [
        ("MRN4711,melanoma,0.2,0.8\nMRN4712,naevus,0.9,0.1\n", ""),
        ("DOE^JANE 19450321,melanoma,melanoma\nDOE^JOHN 1,naevus,melanoma\n", ""),
        ("id,mrn,prob_a,prob_b\n1,MRN4711,0.2,0.8\n2,MRN4712,0.9,0.1\n", "--columns label=mrn"),
        ("id,label,prob_a,prob_b,mrn\n1,a,0.2,0.8,MRN4711\n2,b,0.9,0.1,MRN4\n", "--columns prob_a=mrn"),
        ("id,label,prob_a,prob_b,split\n1,a,0.2,0.8,MRN4711\n2,b,0.9,0.1,MRN4\n", ""),
        ("id,label,prob_a,prob_b,split\n1,a,0.2,0.8,DOE^JANE 19450321\n2,b,0.9,0.1,test\n", ""),
        ('id,label,prob_a,prob_b\n1,a,0.2,0.8\n"MRN4711,b,0.9,0.1\n', ""),
        ("id,label,prob_a,prob_b\n1,a,0.2,0.8\n1,b,0.9,0.1,MRN4711\n", ""),
        ("MRN4711,MRN4711,prob_a,prob_b\n1,a,0.2,0.8\n", ""),
    ],
)
def test_no_sentence_tells_who_a_patient_is(rows: str, arguments: str, run: Run) -> None:
    Path("t.csv").write_text(rows)
    code, _, err = run("audit", "t.csv", *arguments.split(), "--bootstrap", 100)
    assert code == 2
    assert not [name for name in NAMES if name in err], err


def test_sentences_are_short_and_obey_no_terminal(run: Run) -> None:
    TEST.write_csv("t.csv")
    for odd in ("\x1b[31m\x07red", "x" * 3000, "a\u202eb\u2028c", "a\udcffb"):
        code, _, err = run("audit", "t.csv", "--by", odd)
        assert code == 2
        assert err.startswith("primum: ")
        assert len(err) <= len("primum: ") + 301
        assert err.rstrip("\n").isprintable()
