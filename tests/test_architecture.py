"""The order of the rooms, and what some of them keep away from."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import primum

SOURCE = Path(primum.__file__).parent

# A room imports rooms before it, inside functions and for types too. The files at the root are rooms.
ORDER = [
    "core", "severity", "predictions", "tables", "data", "judge", "model", "report", "auditing", "bench",
    "explore", "cli",
]  # fmt: skip
ARRAYS_ONLY = ["core", "severity", "predictions", "tables", "judge", "report", "auditing"]
TRAINING = {"torch", "torchvision", "timm", "lightning", "safetensors", "tensorboard"}
FILES = {"pathlib", "os", "io", "json", "yaml", "pyarrow", "tempfile"}
STATISTICS = {"numpy", "scipy", "sklearn", "polars", "statistics"}

# What opens, removes or renames files: calls by their last name, and the places in which they may stand.
CAREFUL = [
    f"core/{name}.py"
    for name in (
        "files", "documents", "archives", "parquet", "delimited", "exchange", "drafts", "locks"
    )
]  # fmt: skip
OPENING = {
    "open": ("data/imaging", "auditing/output.py", "explore/storage.py"),
    "read_bytes": ("data",),
    "read_text": (
        "auditing/checklist", "report", "explore", "severity", "bench/machine.py", "model/fit.py",
    ),
    "read_csv": ("data/sets/ham10000.py",),
    "read_excel": ("data/sets/sicapv2.py",),
    "unlink": ("data/corruptions/folder.py",),
    **dict.fromkeys(("read_parquet", "read_table", "safe_load", "rmtree", "rmdir", "replace", "rename"), ()),
}  # fmt: skip
OF_ITS_WORKER = "data/imaging/apart.py"  # np.load of what its own worker wrote
JSON_OF_OURS = ("explore/scores.py", "data/imaging/worker.py", "data/imaging/apart.py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def modules(*rooms: str) -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if not rooms or room(path) in rooms]


def imports(path: Path, everywhere: bool = True) -> set[str]:
    """Full names that a module imports; without ``everywhere`` only those that its import runs."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}: imports name their module in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if everywhere or not (later or typing):
            waiting += list(ast.iter_child_nodes(node))
    return names


def libraries(path: Path, everywhere: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(path, everywhere)}


def rooms_of(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("primum.")}


def calls(path: Path) -> list[tuple[str, str]]:
    """Owner and last name of everything a module calls; a plain function has no owner."""
    functions = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return [
        (ast.unparse(function.value), function.attr)
        if isinstance(function, ast.Attribute)
        else ("", getattr(function, "id", ""))
        for function in functions
    ]


def test_every_room_stands_in_the_order_and_the_root_holds_nothing_else() -> None:
    entries = {path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.name != "__pycache__"}
    assert entries - {"__init__", "py.typed"} == set(ORDER)
    assert len(entries) <= 14


def test_rooms_import_only_what_stands_before_them() -> None:
    for path in modules(*ORDER):
        later = rooms_of(imports(path)) - set(ORDER[: ORDER.index(room(path)) + 1])
        assert not later, f"{place(path)} imports {sorted(later)}"


def test_no_module_imports_itself_through_others() -> None:
    names = {"primum." + place(path).removesuffix(".py").replace("/", "."): path for path in modules()}
    waiting = {
        name: {
            known
            for imported in imports(path, everywhere=False)
            for known in (imported, imported.rpartition(".")[0])
            if known in names and known != name
        }
        for name, path in names.items()
    }
    while free := [name for name, needed in waiting.items() if not needed & set(waiting)]:
        for name in free:
            del waiting[name]
    assert not waiting


def test_no_training_library_from_the_tables_to_the_audit() -> None:
    for path in modules(*ARRAYS_ONLY):
        assert not libraries(path) & TRAINING, place(path)
        assert "model" not in rooms_of(imports(path)), place(path)
    for path in modules("explore", "cli"):  # they look at networks too, once asked
        assert not libraries(path, everywhere=False) & TRAINING, place(path)
        networks = {name for name in imports(path, everywhere=False) if name.startswith("primum.model")}
        assert all(name.startswith("primum.model.recipe.") for name in networks), place(path)


def test_an_audit_of_a_table_leaves_torch_alone(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{i},{'ab'[i % 2]},{0.2 + 0.6 * (i % 3 == 0)},{0.8 - 0.6 * (i % 3 == 0)}" for i in range(60)]
    table.write_text("id,label,prob_a,prob_b\n" + "\n".join(rows))
    code = (
        "import sys, primum; light = set(sys.modules); primum.audit(sys.argv[1], bootstrap=100); "
        "print(sorted({'torch', 'numpy'} & light), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, table], capture_output=True, text=True, check=True)
    assert done.stdout == "[] False\n"


def test_verbs_import_what_they_run_inside_functions() -> None:
    for path in modules("cli"):
        if not place(path).startswith(("cli/terminal/", "cli/demonstration.py")):
            assert rooms_of(imports(path, everywhere=False)) <= {"core", "cli", "__version__"}, place(path)


def test_judge_reads_no_files_and_report_computes_no_statistics() -> None:
    for path in modules("judge"):
        assert not libraries(path) & FILES, place(path)
        reading = [name for _, name in calls(path) if name.startswith(("open", "read", "load", "write"))]
        assert not reading, f"{place(path)} calls {reading}"
    for path in modules("report"):
        assert not libraries(path) & STATISTICS, place(path)


def test_checks_import_only_numpy_and_the_standard_library() -> None:
    assert libraries(SOURCE / "core/check.py") <= {"numpy", "primum"} | sys.stdlib_module_names
    ours = {name for name in imports(SOURCE / "core/check.py") if name.startswith("primum.")}
    assert all(name.startswith("primum.core.arrays.") for name in ours)


def test_nothing_is_read_or_drawn_at_import() -> None:
    for path in modules():
        for node in tree(path).body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                called = ast.unparse(node.value)
                assert called.startswith(("app.add_typer(", "need(")), f"{place(path)} runs {called}"


def test_files_are_opened_and_removed_through_the_careful_modules_alone() -> None:
    for path in modules():
        if place(path) in CAREFUL:
            continue
        for owner, name in calls(path):
            if not owner or (name in ("replace", "rename") and owner != "os"):
                continue  # of text and of tables
            allowed = OPENING.get(name)
            assert allowed is None or place(path).startswith(tuple(allowed)), f"{place(path)}: {owner}.{name}"
            assert (owner, name) != ("np", "load") or place(path) == OF_ITS_WORKER, place(path)
            assert (owner, name) not in (("json", "load"), ("json", "loads")) or place(path) in JSON_OF_OURS
