"""Imports point one way: check ← ties ← predictions, severity ← judge ← auditing ← report ← cli."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import primum

SOURCE = Path(primum.__file__).parent
TRAINING = {"torch", "torchvision", "timm", "lightning", "safetensors", "tensorboard"}

# Rooms to the right of the predictions: room → the rooms of primum it may import.
ALLOWED: dict[str, set[str]] = {
    "check": set(),
    "needs": {"check"},
    "ties": {"check"},
    "names": set(),
    "delimited": {"check", "files", "names"},
    "truth": {"check", "columns", "labels", "names", "predictions", "tables"},
    "columns": {"check"},
    "labels": {"check", "names"},
    "drafts": set(),
    "bounds": {"check"},
    "exchange": {"check", "drafts"},
    "files": {"check", "drafts", "exchange"},
    "locks": {"check", "files"},
    "documents": {"check", "files"},
    "archives": {"check", "files"},
    "parquet": {"check", "files"},
    "severity": {"delimited", "names", "check", "documents", "files"},
    "predictions": {"names", "ties", "check"},
    "frames": {"columns", "labels", "names", "ties", "check", "predictions"},
    "arrays": {"columns", "labels", "names", "check", "predictions", "frames"},
    "tables": {
        "archives", "documents", "parquet", "columns", "delimited", "check", "files", "predictions", "frames",
        "arrays",
    },
    "importing": {"archives", "check", "files", "predictions", "tables"},
    "judge": {"names", "ties", "check", "predictions", "severity"},
    "finding": {"check", "documents", "judge"},
    "options": {"bounds", "names", "check", "severity", "finding", "judge"},
    "selecting": {"check", "columns", "predictions"},
    "guards": {"ties", "check", "predictions", "finding", "options", "selecting", "judge"},
    "study": {"check", "documents"},
    "checklist": {"check", "documents", "judge", "study"},
    "answering": {"predictions", "options", "selecting", "judge"},
    "preparing": {"predictions", "finding", "options", "selecting", "guards", "answering", "judge"},
    "curves": {"finding", "judge"},
    "aligning": {"check", "predictions", "selecting"},
    "ensembling": {"bounds", "ties", "check", "predictions", "selecting", "aligning", "judge"},
    "saving": {"check", "files", "finding", "report"},
    "hashing": set(),
    "policy": {"check", "documents", "files", "hashing", "judge"},
    "deferring": {
        "truth", "ties", "check", "tables", "predictions", "severity", "finding", "options", "selecting",
        "guards", "answering", "preparing", "hashing", "policy", "judge",
    },
    "supplements": {
        "check", "tables", "predictions", "selecting", "aligning", "policy", "deferring", "study",
    },
    "sections": {
        "predictions", "finding", "options", "preparing", "curves", "judge", "deferring", "supplements",
        "checklist",
    },
    "auditing": {
        "truth", "ties", "__init__", "check", "documents", "tables", "severity", "finding", "options",
        "selecting", "preparing", "curves", "saving", "judge", "policy", "study", "supplements", "sections",
    },
    "comparing": {
        "truth", "__init__", "check", "files", "tables", "severity", "finding", "options", "selecting",
        "preparing",
        "saving", "auditing", "predictions", "judge", "policy", "deferring", "supplements",
    },
    "imaging": {"check"},
    "report": {"check", "imaging"},
    "terminal": {"check", "files", "finding", "severity", "report", "importing"},
}  # fmt: skip
LEFT = {
    "recipe": {"bounds", "check", "documents", "severity"},
    "data": {
        "archives", "bounds", "columns", "delimited", "check", "files", "names", "parquet",
        "imaging",
    },
    "shifts": {"check", "documents", "files", "locks", "data", "imaging"},
    "model": {
        "__init__", "archives", "bounds", "check", "delimited", "documents", "locks", "parquet", "data",
        "files",
        "imaging", "judge", "needs", "predictions", "recipe", "severity",
        "shifts", "tables",
    },
}  # fmt: skip
# Shows what a network answered, and asks it about a new image: what is left of the predictions only inside
# functions.
BOTH = {
    "explore": {
        "ties", "__init__", "archives", "check", "documents", "files", "imaging", "parquet", "data", "shifts",
        "model", "recipe", "severity",
        "predictions", "tables", "options", "selecting", "answering", "preparing", "policy", "deferring",
        "judge", "report", "needs",
    },
}  # fmt: skip
TOP = {"__init__", "cli", "demo", "bench"}


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def modules(of: str) -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if room(path) == of]


ROOMS = sorted({room(path) for path in SOURCE.rglob("*.py")})


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(node: ast.AST) -> list[str]:
    """Full names that an import statement binds: ``from a import b`` names ``a.b``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports name their module in full"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path, everywhere: bool = True) -> set[str]:
    """Names a module imports when it runs; ``everywhere`` also inside functions."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        found |= set(named(node))
        deeper = not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or everywhere
        if deeper and not checking(node):
            waiting += list(ast.iter_child_nodes(node))
    return found


def rooms_of(names: set[str]) -> set[str]:
    """Rooms of primum among imported names; a name of ``primum`` itself is the room ``__init__``."""
    found = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "primum":
            found.add(parts[1] if len(parts) > 1 and parts[1] in ROOMS else "__init__")
    return found


def test_every_room_has_a_rule() -> None:
    assert set(ROOMS) <= set(ALLOWED) | set(LEFT) | set(BOTH) | TOP


@pytest.mark.parametrize("name", sorted(set(ROOMS) & (set(ALLOWED) | set(LEFT) | set(BOTH))))
def test_a_room_imports_only_rooms_to_its_left(name: str) -> None:
    allowed = (ALLOWED | LEFT | BOTH)[name] | {name}
    for path in modules(name):
        extra = rooms_of(imports(path)) - allowed
        assert not extra, f"{path.relative_to(SOURCE)} imports {sorted(extra)}"


@pytest.mark.parametrize("name", sorted(set(ROOMS) & set(ALLOWED)))
def test_no_training_library_right_of_the_predictions(name: str) -> None:
    for path in modules(name):
        assert not {name.split(".")[0] for name in imports(path)} & TRAINING, path


@pytest.mark.parametrize("name", sorted(BOTH))
def test_training_libraries_and_the_rooms_that_use_them_only_inside_functions(name: str) -> None:
    for path in modules(name):
        at_import = imports(path, everywhere=False)
        assert not {one.split(".")[0] for one in at_import} & TRAINING, path
        assert not rooms_of(at_import) & {"data", "shifts", "model"}, path


def test_heavier_rooms_only_inside_functions() -> None:
    at_import = {path.stem: rooms_of(imports(path, everywhere=False)) for path in SOURCE.glob("*.py")}
    assert at_import["__init__"] == set()
    for path in modules("cli"):
        assert rooms_of(imports(path, everywhere=False)) <= {"__init__", "bounds", "check", "cli", "files"}, (
            path.name
        )
    assert "report" not in at_import["saving"]
    assert not at_import["demo"] & {"data", "model"}


def calls(path: Path) -> set[str]:
    """Last names of everything a module calls."""
    functions = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return {
        function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        for function in functions
    }


def test_judge_reads_no_files() -> None:
    for path in modules("judge"):
        libraries = {name.split(".")[0] for name in imports(path)}
        assert not libraries & {"pathlib", "os", "io", "json", "yaml", "pyarrow", "tempfile"}, path
        reading = [
            call for call in calls(path) if call == "open" or call.startswith(("read", "load", "write"))
        ]
        assert not reading, f"{path.name} calls {reading}"


def test_report_computes_no_statistics() -> None:
    for path in modules("report"):
        libraries = {name.split(".")[0] for name in imports(path)}
        assert not libraries & {"numpy", "scipy", "sklearn", "polars", "statistics"}, path


def test_checks_import_only_numpy_and_the_standard_library() -> None:
    libraries = {name.split(".")[0] for name in imports(SOURCE / "check.py")}
    assert libraries == {"__future__", "collections", "difflib", "numpy", "re", "typing"}


def test_nothing_is_read_or_drawn_at_import() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in tree(path).body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                called = ast.unparse(node.value)
                assert called.startswith(("app.add_typer(", "need(")), f"{path.name} runs {called}"


# What opens, removes or renames files: calls by their last name, and the modules in which they may stand.
CAREFUL = {
    "files", "documents", "archives", "parquet", "delimited", "exchange", "drafts", "locks",
}  # fmt: skip
OPENING = {
    "open": {"imaging", "saving.py", "explore/keeping.py"},
    "read_bytes": {"imaging", "data"},
    "read_text": {"checklist", "report", "explore", "severity.py", "bench/losses.py", "model/fit.py"},
    "read_parquet": set(),
    "read_table": set(),
    "read_csv": {"data/sets/ham10000.py"},
    "read_excel": {"data/sets/sicapv2.py"},
    "safe_load": set(),
    "rmtree": set(),
    "rmdir": set(),
    "unlink": {"shifts/folder.py"},
    "replace": set(),
    "rename": set(),
}


def test_files_are_opened_and_removed_through_the_careful_modules_alone() -> None:
    for path in SOURCE.rglob("*.py"):
        place = str(path.relative_to(SOURCE))
        if room(path) in CAREFUL:
            continue
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name, owner = node.func.attr, ast.unparse(node.func.value)
            if name in ("replace", "rename") and owner != "os":
                continue  # of text and of tables
            assert name not in OPENING or any(place.startswith(known) for known in OPENING[name]), (
                f"{place} calls {owner}.{name}"
            )
            assert (owner, name) != ("np", "load") or place == "imaging/apart.py", (
                place
            )  # what its worker wrote
            assert (owner, name) not in (("json", "loads"), ("json", "load")) or place in JSON_OF_OURS, place


OF_ITS_WORKER = "imaging/apart.py"
JSON_OF_OURS = {"explore/scoring.py", "imaging/worker.py", "imaging/apart.py"}
