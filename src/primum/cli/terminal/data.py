"""Data sets for people: the list of them, and what a check found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from primum.cli.terminal.console import console
from primum.core import files
from primum.core.check import shorten
from primum.report import copies

LONGEST_LIST = 8


def show_sets(entries: Iterable[Any]) -> None:
    """Print every data set with its variants, classes, what it needs, licence and preset."""
    for entry in entries:
        first, *variants = entry.loaders
        variants_text = f"; also {shorten(variants, LONGEST_LIST)}" if variants else ""
        console.print(f"[bold]{escape(first)}[/bold]: {escape(entry.summary)}{escape(variants_text)}")
        lines = {
            "classes": ", ".join(entry.classes) or "as in the data",
            "under --root": entry.needs or "nothing",
            "licence": entry.licence,
            "severity": entry.severity or "no preset",
        }
        for name, text in lines.items():
            console.print(f"  {name:<12} {escape(text)}")


def show_check(content: Mapping[str, Any]) -> None:
    """Print what ``primum data check`` found; the last line says whether the split leaks."""
    console.print(f"[bold]{escape(content['data'])}: {content['n']:,} images[/bold]")
    console.print(_counts(content["counts"]))
    splits = ", ".join(f"{name} {count:,}" for name, count in content["splits"].items() if count)
    console.print(f"splits with seed {content['seed']}: {splits}")
    for line in _lines(content):
        console.print(line)
    leaking = content["test_with_copies"] or (content["patients"] or {}).get("in_two_splits")
    console.print(f"[bold {'red' if leaking else 'green'}]{escape(content['verdict'])}[/]")


def save_check(content: Mapping[str, Any], listed: Any, images: Path | None, out: Path) -> None:
    """Write ``check.json``, ``copies.csv`` and ``copies.html`` into a folder, and print where.

    Args:
        content, listed: of ``data.checking.Checked``. images: folder of the images, or None for made ones.
    """
    names = ("check.json", "copies.csv", "copies.html")
    with files.together([out / name for name in names]) as drafts:
        check_json, table, page = drafts.values()
        check_json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        listed.write_csv(table)
        page.write_text(copies.render(content, listed.to_dicts(), images), encoding="utf-8")
    console.print(f"pictures: {escape(str(out / 'copies.html'))}", soft_wrap=True)


def _counts(entries: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("official split")
    for name in dict.fromkeys(entry["class"] for entry in entries):
        table.add_column(escape(name), justify="right")
    for split in dict.fromkeys(entry["split"] for entry in entries):
        table.add_row(escape(split), *(_count(entry) for entry in entries if entry["split"] == split))
    return table


def _count(entry: Mapping[str, Any]) -> str:
    count, expected = entry["found"], entry["expected"]
    if expected is None or count == expected:
        return f"{count:,}"
    return f"[yellow]{count:,} of {expected:,}[/yellow]"


def _lines(content: Mapping[str, Any]) -> list[str]:
    stated = [entry for entry in content["counts"] if entry["expected"] is not None]
    off = [entry for entry in stated if entry["found"] != entry["expected"]]
    lines = ["counts: nothing is stated by the release to compare with"]
    if stated:
        lines = ["counts: as the release states them"]
    if off:
        less = sum(max(entry["expected"] - entry["found"], 0) for entry in off)
        more = sum(max(entry["found"] - entry["expected"], 0) for entry in off)
        lines = [f"[yellow]counts:[/yellow] {less:,} images fewer than the release states, {more:,} more"]
    unreadable = content["unreadable"]
    lines.append(f"unreadable: {len(unreadable):,}" if unreadable else "unreadable: none")
    lines += [f"  {escape(entry['why'])}" for entry in unreadable[:LONGEST_LIST]]
    lines += [escape(line) for line in content["pixels"]["said"]]
    groups = content["copies"]
    near = groups["groups"] - groups["exact_groups"]
    lines.append(
        f"copies: {groups['images']:,} images in {groups['groups']:,} groups "
        f"({groups['exact_groups']:,} of the same bytes, {near:,} of the same picture in other files)"
    )
    for entry in content["across"]:
        lines.append(
            f"  {entry['split']} images with a copy in {entry['other']}: {entry['images']:,} "
            f"(groups: {entry['groups']:,})"
        )
    conflicting = groups["conflicting_groups"]
    lines.append(
        f"[bold red]labels: {conflicting:,} groups of copies stand under two labels[/bold red]"
        if conflicting
        else "labels: no copies stand under two labels"
    )
    lines.append(_people(content["patients"]))
    return lines


def _people(patients: Mapping[str, int] | None) -> str:
    if patients is None:
        return "patients: not told by the release, so images of one patient may stand in two splits"
    line = f"patients: {patients['n']:,}, {patients['in_two_splits']:,} of them in two splits"
    if "in_two_official_splits" in patients:
        line += f", {patients['in_two_official_splits']:,} in two official ones"
    return line
