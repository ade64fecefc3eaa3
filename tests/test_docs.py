"""Every link and every citation leads somewhere."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.places import DOCS, ROOT

PAGES = sorted(
    path
    for folder in (ROOT, DOCS, ROOT / "results", ROOT / "examples")
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CITED = re.compile(r"docs/([\w-]+\.md)(?:#([\w-]+))?")
SOURCES = sorted((ROOT / "src").rglob("*.py"))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page, as its headings give them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_the_pages_are_those_of_this_repository() -> None:
    assert {"methods.md", "formats.md", "index.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.relative_to(ROOT / "src").as_posix())
def test_citations_lead_to_sections(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    for name, anchor in CITED.findall(text):
        assert (DOCS / name).exists(), name
        assert not anchor or anchor in anchors(DOCS / name), f"{name}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # it tells of files that were
    homes = (ROOT, page.parent, ROOT / "src/primum", *(ROOT / "src/primum").iterdir())
    for name in re.findall(r"`([\w-]+(?:/[\w-]+)*\.py)`", page.read_text(encoding="utf-8")):
        anywhere = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob(name)]
        assert any((home / name).exists() for home in homes) or ("/" not in name and anywhere), name


NAMING = sorted({*PAGES, *(ROOT / "benchmarks").glob("*.py"), *(ROOT / "results").rglob("*.py"), *SOURCES})
IMPORTED = re.compile(r"from (primum[\w.]*) import ([\w, ]+)")
DOTTED = re.compile(r"(?<![\w./-])primum(?:\.[A-Za-z_]\w*)+(?![\w/-])")


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_names_of_this_package_are_there(page: Path) -> None:
    """Also in code that stands in a string, which no type checker reads."""
    if page.name == "CHANGELOG.md":
        return  # it tells of names that were
    text = page.read_text(encoding="utf-8")
    if page.name.startswith("how-to-add"):
        text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)  # the example is what is not there yet
    names = {
        f"{module}.{name.strip()}" for module, listed in IMPORTED.findall(text) for name in listed.split(",")
    }
    names = {name.split(" as ")[0] for name in names if not name.endswith(".")}
    for name in names | set(DOTTED.findall(text)):
        assert resolves(name), name
