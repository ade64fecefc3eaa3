"""``primum bench losses``: train every loss, choose on validation, read test once, tell what each buys."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import track

from primum.bench import runs
from primum.bench.engine import engine
from primum.bench.losses import markdown
from primum.bench.losses import plan as plans
from primum.bench.losses.plan import Plan
from primum.bench.losses.summary import Judgement, judge, summarise
from primum.bench.losses.validation import CRITERION, Choice, choose
from primum.bench.machine import describe_machine
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
) -> dict[str, object]:
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
        return _run(plan, out, carry, threads, choose_only=choose_only, progress=progress)


def _run(
    plan: Plan, out: Path, carry: runs.Carry, threads: int, *, choose_only: bool, progress: bool
) -> dict[str, object]:
    runs.train(plan.runs, out, carry, threads, progress)
    choices, on_validation = choose(plan, out, REPLICATES, progress)
    content: dict[str, object] = {
        "criterion": CRITERION,
        "reference": plan.reference,
        "settings": [choice.to_dict() for choice in choices],
    }
    with files.whole(out / "choice.json") as draft:
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    if choose_only:
        return content
    judgements, on_test = read_test(plan, choices, out, progress)
    content = {
        "schema": SCHEMA,
        "name": plan.name,
        "reference": plan.reference,
        "criterion": CRITERION,
        "settings": [summarise(plan, choice, judgements).to_dict() for choice in choices],
        "bootstrap": REPLICATES,
        "machine": describe_machine(),
        "version": __version__,
    }
    from primum.report.page import render

    with files.together([out / name for name in PARTS]) as drafts:
        findings, document, table, page = drafts.values()
        pl.concat([on_validation, on_test], how="vertical_relaxed").write_parquet(findings)
        document.write_text(json.dumps(content, indent=1), encoding="utf-8")
        table.write_text(markdown.compose(content), encoding="utf-8")
        page.write_text(render(content), encoding="utf-8")
    return content


def read_test(
    plan: Plan, choices: list[Choice], out: Path, progress: bool
) -> tuple[list[Judgement], pl.DataFrame]:
    """Judge the chosen runs, and only those, on their test rows."""
    chosen = {
        ((choice.data, choice.network), (loss, strength))
        for choice in choices
        for loss, rules in choice.strengths.items()
        for strength in rules.values()
    }
    console = Console(stderr=True)
    watched = track(
        [run for run in plan.runs if (run.setting, run.candidate) in chosen],
        "judging on test", disable=not progress, transient=True, console=console,
    )  # fmt: skip
    pairs = [judge(run, out, REPLICATES) for run in watched]
    return [judgement for judgement, _ in pairs], pl.concat(
        [frame for _, frame in pairs], how="vertical_relaxed"
    )
