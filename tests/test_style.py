"""How the code reads: names, types, lengths."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import primum
from tests.places import ROOT

SOURCE = Path(primum.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
# Participles and pronouns where a noun of the field can stand: a reader cannot tell what they hold.
VAGUE = set(
    re.findall(
        r"\w+",
        """afresh asked beside both drawn few found further given held here kept known least made mine most
        one other ours own rest said seen shown spoken theirs there thing things told wanted what whole""",
    )
)
LONGEST = 350


def bound(tree: ast.AST) -> list[str]:
    """Names that the code binds: variables, arguments, functions, classes."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.arg):
            names.append(node.arg)
    return names


def test_names_say_what_they_hold() -> None:
    names, vague = 0, Counter[str]()
    for path in FILES:
        of_file = bound(ast.parse(path.read_text(encoding="utf-8")))
        names += len(of_file)
        vague[str(path.relative_to(SOURCE))] += sum(name.strip("_").lower() in VAGUE for name in of_file)
    assert 1000 * vague.total() / names <= 5, vague.most_common(10)


def test_few_values_have_any_type() -> None:
    lines, untyped = 0, Counter[str]()
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        lines += text.count("\n")
        nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
        untyped[str(path.relative_to(SOURCE))] = sum(node.id == "Any" for node in nodes)
    assert 1000 * untyped.total() / lines <= 8, untyped.most_common(10)


def test_no_file_is_long() -> None:
    lengths = {str(path.relative_to(SOURCE)): path.read_text("utf-8").count("\n") for path in FILES}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def test_documents_that_are_not_here_are_not_cited() -> None:
    for path in FILES:
        assert not re.search(r"\bMETHODS (§|of)|\bDESIGN\b|\bGATE\b", path.read_text("utf-8")), path


def test_no_test_is_skipped_for_want_of_a_module_of_ours() -> None:
    """A module that was renamed must fail its test, not skip it."""
    for path in (ROOT / "tests").rglob("*.py"):
        assert not re.search(r"importorskip\(\s*[\"'](?:primum|tests)\b", path.read_text("utf-8")), path
