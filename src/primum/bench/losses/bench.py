"""``primum bench losses``: train every loss, choose on validation, read test once, tell what each buys."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import track

from primum.bench import plan as plans
from primum.bench import runs
from primum.bench.engine import cores, engine
from primum.bench.losses import markdown
from primum.bench.losses.summary import Judged, judge, summarise
from primum.bench.losses.validation import CRITERION, Choice, choose
from primum.bench.plan import Plan
from primum.core import files, locks
from primum.core.version import __version__

SCHEMA = "primum.bench/1"
REPLICATES = 2000
PARTS = ("findings.parquet", "bench.json", "table.md", "report.html")


def bench(
    file: Path | str,
    out: Path,
    root: Path | None = None,
    engine_name: str = "local",
    jobs: int | None = None,
    address: str | None = None,
    choose_only: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Compare losses as a bench file says, and leave everything in ``out``.

    Written: ``runs/`` (one folder a run), ``choice.json`` (strengths and the named combination, before any
    test row is read), then ``findings.parquet`` (every finding: of every run on its validation rows, of the
    chosen ones on test), ``bench.json``, ``table.md`` and ``report.html``. A bench that was
    stopped goes on where it was.

    Args:
        file: the bench file. root: folder that holds the data sets.
        engine_name: ``local`` or ``ray``. jobs: trainings at once. address: of a Ray cluster.
        choose_only: stop when ``choice.json`` is written.

    Returns:
        The content of ``choice.json`` or of ``bench.json``.

    Raises:
        InputError: for a bench file, folder or address that cannot be used, or when runs failed.
    """
    plan = plans.read(file, root)
    carry, threads = engine(engine_name, jobs, address)
    with locks.alone(out):
        return _bench(plan, out, carry, threads, choose_only, progress)


def _bench(
    plan: Plan, out: Path, carry: runs.Carry, threads: int, choose_only: bool, progress: bool
) -> dict[str, Any]:
    runs.train(plan.runs, out, carry, threads, progress)
    choices, on_validation = choose(plan, out, REPLICATES, progress)
    chosen = {
        "criterion": CRITERION,
        "reference": plan.reference,
        "settings": [one.to_dict() for one in choices],
    }
    write(out / "choice.json", json.dumps(chosen, indent=1))
    if choose_only:
        return chosen
    judged, on_test = read_test(plan, choices, out, progress)
    content = {
        "schema": SCHEMA,
        "name": plan.name,
        "reference": plan.reference,
        "criterion": CRITERION,
        "settings": [
            summarise(
                plan, choice, [one for one in judged if one.run.setting == (choice.data, choice.network)]
            )
            for choice in choices
        ],
        "bootstrap": REPLICATES,
        "machine": machine(),
        "version": __version__,
    }
    from primum.report.page import render

    with files.together([out / name for name in PARTS]) as drafts:
        findings, told, table, page = drafts.values()
        pl.concat([on_validation, on_test], how="vertical_relaxed").write_parquet(findings)
        told.write_text(json.dumps(content, indent=1), encoding="utf-8")
        table.write_text(markdown.compose(content), encoding="utf-8")
        page.write_text(render(content), encoding="utf-8")
    return content


def read_test(
    plan: Plan, choices: list[Choice], out: Path, progress: bool
) -> tuple[list[Judged], pl.DataFrame]:
    """Judge the chosen runs, and only those, on their test rows."""
    wanted = {
        (choice.data, choice.network, loss, strength)
        for choice in choices
        for loss, rules in choice.strengths.items()
        for strength in rules.values()
    }
    chosen = [run for run in plan.runs if (*run.setting, run.loss, run.strength) in wanted]
    console = Console(stderr=True)
    watched = track(chosen, "judging on test", disable=not progress, transient=True, console=console)
    pairs = [judge(run, out, REPLICATES) for run in watched]
    return [one for one, _ in pairs], pl.concat([frame for _, frame in pairs], how="vertical_relaxed")


def machine() -> dict[str, Any]:
    """What the figures were made on, without names of hosts or people."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": cores(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def write(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    with files.whole(path) as draft:
        draft.write_text(text, encoding="utf-8")
