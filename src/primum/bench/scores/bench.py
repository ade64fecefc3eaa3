"""``primum bench scores``: train, ask about every shift, judge every score, list what stays silent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from primum.auditing.options import OPERATING_COVERAGE
from primum.bench import runs
from primum.bench.engine import engine
from primum.bench.machine import describe_machine
from primum.bench.runs import Carry
from primum.bench.scores import markdown
from primum.bench.scores import plan as plans
from primum.bench.scores.answers import question
from primum.bench.scores.names import gambled, of_passes
from primum.bench.scores.plan import GAMBLERS, Plan, Run
from primum.bench.scores.records import finding_rows, silent_rows
from primum.bench.scores.setting import line_up
from primum.bench.scores.shifts import Shift, complete, elsewhere
from primum.bench.scores.summary import Summary, summarise
from primum.core import documents, files, locks, parquet
from primum.core.check import InputError
from primum.core.version import __version__
from primum.judge.confidence import RANKED, SCORES
from primum.judge.confidence.scores import CONFIDNET
from primum.severity import read as read_severity
from primum.tables import SCHEMA_KEY

if TYPE_CHECKING:
    from primum.data.images import ImageTable

SCHEMA = "primum.bench_scores/1"
REPLICATES = 1000
PARTS = ("findings.parquet", "silent.parquet", "bench.json", "table.md", "report.html")


def bench(
    file: Path | str,
    out: Path,
    root: Path | None = None,
    engine_name: str = "local",
    jobs: int | None = None,
    address: str | None = None,
    progress: bool = True,
) -> dict[str, object]:
    """Compare confidence scores under shift as a bench file says, and leave everything in ``out``.

    Written: ``runs/`` (one folder a run, with ``scores/<shift>.parquet``), then ``findings.parquet`` (every
    metric of every score in every shift), ``silent.parquet`` (every silent failure), ``bench.json``,
    ``table.md`` and ``report.html``. A bench that was stopped goes on where it was.

    Args:
        file: the bench file. root: folder that holds the data sets.
        engine_name: ``local`` or ``ray``. jobs: trainings at once. address: of a Ray cluster.

    Returns:
        The content of ``bench.json``.

    Raises:
        InputError: for a bench file, folder or address that cannot be used, or when runs failed.
    """
    plan = plans.read(file, root)
    carry, threads = engine(engine_name, jobs, address)
    _check(plan)
    with locks.alone(out):
        return _run(plan, out, carry, threads, progress)


def _run(plan: Plan, out: Path, carry: Carry, threads: int, progress: bool) -> dict[str, object]:
    runs.train(plan.runs, out, carry, threads, progress)
    ask(plan, out, carry, threads, progress)
    summaries = [_summary(plan, plan.of(setting), out, progress) for setting in plan.settings]
    content: dict[str, object] = {
        "schema": SCHEMA,
        "name": plan.name,
        "passes": plan.passes,
        "coverage": OPERATING_COVERAGE,
        "settings": [summary.to_dict() for summary in summaries],
        "bootstrap": REPLICATES,
        "machine": describe_machine(),
        "version": __version__,
    }
    from primum.report.page import render

    with files.together([out / name for name in PARTS]) as drafts:
        findings, silent, document, table, page = drafts.values()
        pl.concat(map(finding_rows, summaries), how="diagonal_relaxed").write_parquet(findings)
        pl.concat(map(silent_rows, summaries), how="diagonal_relaxed").write_parquet(silent)
        document.write_text(json.dumps(content, indent=1), encoding="utf-8")
        table.write_text(markdown.compose(content), encoding="utf-8")
        page.write_text(render(content), encoding="utf-8")
    return content


def _summary(plan: Plan, members: Sequence[Run], out: Path, progress: bool) -> Summary:
    setting = line_up(members, out, REPLICATES)
    return summarise(setting, plan.scores, plan.reference, _absent(plan, members), progress)


def ask(plan: Plan, out: Path, carry: Carry, threads: int, progress: bool) -> None:
    """Ask every run about every shift it was not asked about.

    With a frozen trunk the first run of every data set and network goes ahead, shift by shift, and stores the
    features of the changed images, so that no two runs compute them.
    """
    open_shifts = {
        run.folder: tuple(shift for shift in run.shifts if not _answered(run, out, shift, plan))
        for run in plan.runs
    }
    unanswered = [run for run in plan.runs if open_shifts[run.folder]]
    ahead = runs.first_frozen(unanswered)
    first = [(run, (shift,)) for run in unanswered if run in ahead for shift in open_shifts[run.folder]]
    others = [(run, open_shifts[run.folder]) for run in unanswered if run not in ahead]
    batches = [
        [
            runs.task(run, out, threads, question(run, out, shifts, plan.passes), _name(shifts))
            for run, shifts in batch
        ]
        for batch in (first, others)
    ]
    total = len(first) + len(others) + len(plan.runs) - len(unanswered)
    runs.carry_out(batches, out, carry, total=total, title="asking", noun="questions", progress=progress)


def _name(shifts: tuple[Shift, ...]) -> str:
    return shifts[0].slug if len(shifts) == 1 else f"{len(shifts)} shifts"


def _answered(run: Run, out: Path, shift: Shift, plan: Plan) -> bool:
    """Whether a run's answers about a shift are there, whole, with the passes and the scores of today."""
    path = run.stored(out, shift)
    if not path.exists():
        return False
    try:
        columns, texts = parquet.header(path, "answers of a run")
        source = documents.json_values(texts[SCHEMA_KEY], path.name)["source"]
    except (InputError, KeyError, TypeError):
        return False
    passes = (source.get("mc_dropout") or {}).get("passes", 0)
    scores = {*(source.get("not_applicable") or {}), *(name.removeprefix("score_") for name in columns)}
    expected = {name for name in RANKED if gambled(name) == (run.loss == GAMBLERS)}
    return passes == (plan.passes if run.drops else 0) and expected <= scores


def _check(plan: Plan) -> None:
    """Refuse, before anything is trained, data that are not there or of other classes, and empty shifts."""
    from primum.data.leaving_out import held_out

    loaded: dict[str, ImageTable] = {}
    for run in {(run.data, run.variant): run for run in plan.runs}.values():
        source = run.recipe.data
        if run.data not in loaded:
            loaded[run.data] = complete(source)
        table = held_out(loaded[run.data], source.leave_out)
        read_severity(run.severity).ordered(table.classes, table.name)
        for shift in run.shifts:
            images = elsewhere(shift, source) if shift.kind == "elsewhere" else table
            if set(images.classes) != set(table.classes):
                raise InputError(
                    f"{run.data}: 'elsewhere' needs a data set of the classes {', '.join(table.classes)}, "
                    f"{shift.name} has {', '.join(images.classes)}"
                )
            shift.rows(images)


def _absent(plan: Plan, members: Sequence[Run]) -> dict[str, str]:
    """Score → why this setting has none of it, known from the bench file alone."""
    gamblers = any(run.loss == GAMBLERS for run in members)
    absent = {}
    for name in RANKED:
        if gambled(name) and not gamblers:
            absent[name] = "the bench trains no Deep Gamblers network; add 'deep_gamblers: {}'"
        elif SCORES[name].network == CONFIDNET and members[0].recipe.confidnet is None:
            absent[name] = "the bench trains no ConfidNet; add 'confidnet: {}'"
        elif of_passes(name) and not (plan.passes and members[0].drops):
            absent[name] = "the network has no dropout" if plan.passes else "passes: 0, so no dropout passes"
    return absent
