"""The verbs, as someone at a terminal meets them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum import cli
from primum.auditing import output
from primum.cli.terminal import console
from primum.judge import finding
from tests.conftest import made_table
from tests.places import DOCS

Run = Callable[..., tuple[int, str, str]]
VERBS = (
    ["demo"], ["train"], ["predict"], ["explain"], ["ensemble"], ["audit"], ["compare"],
    ["severity", "check"], ["data", "list"], ["data", "check"], ["data", "corrupt"],
    ["defer", "fit"], ["defer", "apply"],
    ["import", "fd-shifts"], ["explore"], ["bench", "losses"], ["bench", "scores"],
)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console.console, "width", 100)

    return command


def python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_has_an_example_of_the_verb(verb: list[str], run: Run) -> None:
    code, out, _ = run(*verb, "--help")
    assert code == 0
    assert f"Example: primum {' '.join(verb)} " in " ".join(out.split())


def test_help_breaks_lines_only_where_the_window_ends() -> None:
    for command in Path(cli.__file__).parent.glob("*.py"):
        for one in ast.walk(ast.parse(command.read_text())):
            if isinstance(one, ast.FunctionDef) and one.decorator_list:
                paragraphs = (ast.get_docstring(one) or "").split("\n\n")
                assert not any("\n" in paragraph for paragraph in paragraphs[1:]), (command.name, one.name)


def test_help_and_version(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert all(verb[0] in out for verb in VERBS)
    assert run("--version")[1].startswith("primum 0.")
    assert "Usage" in run()[1]


def test_severity_check_prints_costs_critical_marks_and_lint(run: Run) -> None:
    Path("s.yaml").write_text(
        "classes: [sick, well]\ncost: [[0, 5.5], [0, 0]]\ncritical: [[sick, well]]\ndefer: 9\n"
        "unit: visits\nsource: a panel"
    )
    code, out, _ = run("severity", "check", "s.yaml")
    assert code == 0
    assert [line.split() for line in out.splitlines() if line.startswith((" sick", " well"))] == [
        ["sick", "0", "5.5!"],
        ["well", "0", "0"],
    ]
    assert "unit: visits" in out
    assert "source: a panel" in out
    assert "defer: 9" in out
    assert "warning: these mistakes cost nothing: well called sick" in out
    assert "never optimal" in out


def test_severity_check_of_a_preset_has_no_warnings(run: Run) -> None:
    assert "no warnings" in run("severity", "check", "isic2018")[1]


def test_names_in_square_brackets_are_printed_as_they_are(run: Run) -> None:
    Path("s.csv").write_text("x,[bold],[/b]\n[bold],0,1\n[/b],0,0\n")
    code, out, _ = run("severity", "check", "s.csv")
    assert code == 0
    assert "these mistakes cost nothing: [/b] called [bold]" in out


def test_data_list_names_every_set_and_its_preset(run: Run) -> None:
    code, out, _ = run("data", "list")
    assert code == 0
    said = " ".join(out.split())
    for text in ("ham10000: skin lesions", "MEL, NV, BCC", "CC BY-NC 4.0", "severity isic2018", "manifest: "):
        assert text in said


def test_data_check_says_what_leaks_and_shows_it(run: Run) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (16, 12, 12, 3), dtype=np.uint8)
    for k, split in enumerate(["train"] * 8 + ["val"] * 2 + ["cal"] * 2 + ["test"] * 4):
        folder = Path("d", split, f"c[{k % 2}]")
        folder.mkdir(parents=True, exist_ok=True)
        blobs = Image.fromarray(pixels[0 if k == 15 else k]).resize((96, 96), Image.Resampling.BICUBIC)
        blobs.save(folder / f"{k}.{'jpg' if k == 15 else 'png'}")
    code, out, err = run("data", "check", "folder", "--root", "d", "--out", "o")
    assert (code, err) == (0, "")
    assert "the split leaks: 1 test image has a copy in train, val or cal, of 4" in out
    assert "1 groups of copies stand under two labels" in out
    assert "c[1]" in out
    assert sorted(path.name for path in Path("o").iterdir()) == ["check.json", "copies.csv", "copies.html"]
    content = json.loads(Path("o/check.json").read_text())
    listed = pl.read_csv("o/copies.csv")
    assert listed["id"].to_list() == ["train/c[0]/0.png", "test/c[1]/15.jpg"]
    page = Path("o/copies.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "in two splits" in page
    documented = (DOCS / "formats.md").read_text()
    tables = content, content["counts"][0], content["copies"], content["across"][0], listed.columns
    for field in {field for table in tables for field in table}:
        assert f"`{field}`" in documented, f"docs/formats.md lacks {field}"


def test_audit_writes_three_files_and_a_summary(run: Run) -> None:
    made_table(200).write_csv("t.csv")
    Path("limits.yaml").write_text("cer: {max: 0.9}\naccuracy: {min: 0.99}")
    code, out, err = run(
        "audit", "t.csv", "--severity", "phantom", "--by", "site", "--bootstrap", 100, "--out", "o/deep",
        "--limits", "limits.yaml", "--prior", "naevus=0.5,keratosis=0.3,melanoma=0.1",
    )  # fmt: skip
    assert (code, err) == (0, "")
    folder = Path("o/deep")
    assert sorted(path.name for path in folder.iterdir()) == ["audit.json", "cases.parquet", "report.html"]
    content = json.loads((folder / "audit.json").read_text())
    assert content["schema"] == "primum.audit/1"
    assert set(content) == {"schema", "settings", "findings", "curves", "cases"}
    assert content["settings"]["by"] == ["site"]
    assert content["settings"]["bootstrap"] == 100
    assert pl.read_parquet(folder / "cases.parquet").height == content["settings"]["n"]
    assert (folder / "report.html").read_text().lstrip().lower().startswith("<!doctype html")
    assert "Critical error rate" in out
    assert "passed" in out
    assert "failed" in out
    assert "report: o/deep/report.html" in out
    assert "warning: recalibration was fitted on" in out


def test_audit_of_a_vendors_table_without_severity(run: Run) -> None:
    table = made_table(120).drop("split").rename({"id": "UID", "label": "gt", "prob_naevus": "s"})
    table.write_csv("t.csv")
    code, out, err = run(
        "audit", "t.csv", "--columns", "id=UID, label=gt, prob_naevus=s", "--critical", "melanoma:naevus",
        "--bootstrap", 100, "--out", "o",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "bayes" not in out
    assert json.loads(Path("o/audit.json").read_text())["settings"]["critical"] == [["melanoma", "naevus"]]


def test_compare_writes_three_files_and_a_summary(run: Run) -> None:
    made_table(160).write_csv("a.csv")
    made_table(160, skill=3.0).write_csv("b.csv")
    code, out, err = run(
        "compare", "a.csv", "b.csv", "--severity", "phantom", "--bootstrap", 100, "--out", "o"
    )
    assert (code, err) == (0, "")
    assert sorted(path.name for path in Path("o").iterdir()) == ["audit.json", "cases.parquet", "report.html"]
    content = json.loads(Path("o/audit.json").read_text())
    assert content["schema"] == "primum.comparison/1"
    assert set(content) == {"schema", "settings", "findings", "first", "second", "cases"}
    assert content["first"]["schema"] == content["second"]["schema"] == "primum.audit/1"
    assert "a.csv → b.csv" in out
    assert "second − first" in out
    for row in ("argmax", "bayes", "Critical error rate", "AUROC", "Negative log-likelihood"):
        assert f" {row}" in out


KINDS = {"score": "score_<name>", "evidence": "evidence_<source>"}


def test_every_field_is_documented(run: Run) -> None:
    documented = (DOCS / "formats.md").read_text()
    made_table(120).write_csv("t.csv")
    for verb in (["audit", "t.csv"], ["compare", "t.csv", "t.csv"]):
        assert run(*verb, "--severity", "phantom", "--bootstrap", 100, "--out", "o")[0] == 0
        content = json.loads(Path("o/audit.json").read_text())
        named = [content, content["settings"], content["findings"][0], content["cases"][0]]
        named += [{finding["code"]: 0} for finding in content["findings"]]
        if "curves" in content:
            named += [content["curves"], content["settings"]["severity"]]
            for entries in content["curves"].values():
                named += [entries] if isinstance(entries, dict) else entries[:1]
        for field in {field for entry in named for field in entry} - {"site"}:
            stem = re.sub("^(first|second)_(argmax|bayes)$", r"\1_<rule>", field)
            stem = re.sub("^(score_.*|evidence_.*)", lambda kind: KINDS[kind[0].split("_")[0]], stem)
            assert f"`{stem}`" in documented or f'"{stem}"' in documented, f"docs/formats.md lacks {field}"


def test_the_summary_fits_a_narrow_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made_table(120).write_csv("t.csv")
    monkeypatch.setattr(console.console, "width", 60)
    for verb in (["audit", "t.csv"], ["compare", "t.csv", "t.csv"]):
        code, out, _ = run(*verb, "--severity", "phantom", "--bootstrap", 100)
        assert code == 0
        assert max(len(line) for line in out.splitlines()) <= 60
        assert "…" not in out
        assert "Critical" in out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (1.0, "1"),
        (14.0, "14"),
        (0.1234, "0.123"),
        (22.799, "22.8"),
        (-0.5, "-0.500"),
    ],
)
def test_numbers_have_the_digits_they_deserve(value: float | None, text: str) -> None:
    assert console.number(value) == text


EARLIER = {
    name: '{"schema": "primum.audit/1"}' + name for name in ("audit.json", "cases.parquet", "report.html")
}


@pytest.mark.parametrize("when", ["judging", "drawing", "writing"])
def test_ctrl_c_leaves_earlier_results_and_nothing_half_written(
    when: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_table(120).write_csv("t.csv")
    Path("o").mkdir()
    for name, text in EARLIER.items():
        (Path("o") / name).write_text(text)

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    if when == "judging":
        monkeypatch.setattr(console.Bar, "__call__", interrupted)
    elif when == "drawing":
        monkeypatch.setattr(output.Saved, "to_html", interrupted)
    else:
        monkeypatch.setattr(pl.DataFrame, "write_parquet", half_written)
    code, out, err = run("audit", "t.csv", "--bootstrap", 100, "--out", "o")
    assert code == 130
    assert "Traceback" not in out + err
    assert "interrupted" in err
    assert {path.name: path.read_text() for path in Path("o").iterdir()} == EARLIER
    assert sorted(path.name for path in Path().iterdir()) == ["o", "t.csv"]


def half_written(self: pl.DataFrame, draft: Path) -> None:
    Path(draft).write_bytes(b"half")
    raise KeyboardInterrupt


def test_a_full_disk_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made_table(120).write_csv("t.csv")

    def full(self: pl.DataFrame, draft: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    code, _, err = run("audit", "t.csv", "--bootstrap", 100, "--out", "o")
    assert code == 2
    assert (
        err
        == "primum: no space left on device; nothing was written there, earlier results stand as they were\n"
    )
    assert list(Path("o").iterdir()) == []


def test_a_verdict_stands_beside_its_number() -> None:
    made = finding.Finding("cer", "CER", 0.1, 0.05, 0.2, 10, verdict="failed")
    assert console.cell(made) == "0.100 (0.050–0.200) [bold red]failed[/bold red]"


HEAVY = ("torch", "lightning", "timm", "torchvision", "PIL.Image")  # Plotly looks whether PIL is there
NOT_INSTALLED = (
    "import sys\n"
    "from importlib.machinery import PathFinder\n"
    "find = PathFinder.find_spec\n"
    f"gone = lambda cls, name, *rest: None if name in {HEAVY} else find(name, *rest)\n"
    "PathFinder.find_spec = classmethod(gone)\n"
)


def test_importing_primum_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, primum; print(sorted({'numpy','polars','scipy','sklearn','torch'} & set(sys.modules)))"
    )
    assert python(code, tmp_path).stdout == "[]\n"


def test_help_loads_no_tables_and_no_statistics(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['primum', '--help']\n"
        "from primum.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded', sorted({'polars', 'scipy', 'sklearn', 'plotly', 'torch'} & set(sys.modules)))"
    )
    assert python(code, tmp_path).stdout.splitlines()[-1] == "loaded []"


def test_auditing_a_csv_loads_no_torch(tmp_path: Path) -> None:
    made_table(120).write_csv(tmp_path / "t.csv")
    code = (
        "import sys; sys.argv = ['primum', 'audit', 't.csv', '--severity', 'phantom', '--bootstrap', '100']\n"
        "from primum.cli import main\n"
        "try: main()\n"
        f"finally: print('loaded', sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = python(code, tmp_path, COLUMNS="60")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "loaded []"
    assert (tmp_path / "audit" / "audit.json").exists()


def test_networks_without_their_extra_are_one_sentence(tmp_path: Path) -> None:
    code = (
        NOT_INSTALLED + "sys.argv = ['primum', 'predict', 'run', '--data', 'phantom', '--out', 'p.parquet']\n"
        "from primum.cli import main\n"
        "main()"
    )
    done = python(code, tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("primum: ")
    assert done.stderr.count("\n") == 1
    assert "pip install 'primum[train]'" in done.stderr
