"""``primum bench scores``: train, ask about every shift, judge every score, list what stays silent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from primum.auditing.options import OPERATING_COVERAGE
from primum.bench import runs
from primum.bench.engine import engine
from primum.bench.losses.bench import machine
from primum.bench.runs import Carry
from primum.bench.scores import markdown
from primum.bench.scores import plan as plans
from primum.bench.scores.asking import asking
from primum.bench.scores.names import gambled, of_passes
from primum.bench.scores.plan import GAMBLERS, Plan, Run
from primum.bench.scores.reading import setting
from primum.bench.scores.shifts import Shift, elsewhere, whole_of
from primum.bench.scores.summary import summarise
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
) -> dict[str, Any]:
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
        return _bench(plan, out, carry, threads, progress)


def _bench(plan: Plan, out: Path, carry: Carry, threads: int, progress: bool) -> dict[str, Any]:
    runs.train(plan.runs, out, carry, threads, progress)
    ask(plan, out, carry, threads, progress)
    found = [
        summarise(
            setting(plan.of(one), out, REPLICATES), plan.scores, plan.reference, _absent(plan, plan.of(one)),
            progress,
        )
        for one in plan.settings
    ]  # fmt: skip
    content = {
        "schema": SCHEMA,
        "name": plan.name,
        "passes": plan.passes,
        "coverage": OPERATING_COVERAGE,
        "settings": [one for one, *_ in found],
        "bootstrap": REPLICATES,
        "machine": machine(),
        "version": __version__,
    }
    from primum.report.page import render

    with files.together([out / name for name in PARTS]) as drafts:
        findings, silent, told, table, page = drafts.values()
        pl.concat([one for _, one, _ in found], how="diagonal_relaxed").write_parquet(findings)
        pl.concat([one for *_, one in found], how="diagonal_relaxed").write_parquet(silent)
        told.write_text(json.dumps(content, indent=1), encoding="utf-8")
        table.write_text(markdown.compose(content), encoding="utf-8")
        page.write_text(render(content), encoding="utf-8")
    return content


def ask(plan: Plan, out: Path, carry: Carry, threads: int, progress: bool) -> None:
    """Ask every run about every shift it was not asked about.

    With a frozen trunk the first run of every data set and network goes ahead, shift by shift, and stores the
    features of the changed images, so that no two runs compute them.
    """
    todo = [
        (run, tuple(shift for shift in run.shifts if not _asked(run, out, shift, plan))) for run in plan.runs
    ]
    asked = [(run, shifts) for run, shifts in todo if shifts]
    ahead = runs.first_frozen([run for run, _ in asked])
    first = [(run, (shift,)) for run, shifts in asked if run in ahead for shift in shifts]
    rest = [(run, shifts) for run, shifts in asked if run not in ahead]
    batches = [
        [
            runs.task(run, out, threads, asking(run, out, shifts, plan.passes), _named(shifts))
            for run, shifts in batch
        ]
        for batch in (first, rest)
    ]
    total = len(first) + len(rest) + len(todo) - len(asked)
    runs.carried(batches, out, carry, "asking", total, "questions", progress)


def _named(shifts: tuple[Shift, ...]) -> str:
    return shifts[0].slug if len(shifts) == 1 else f"{len(shifts)} shifts"


def _asked(run: Run, out: Path, shift: Shift, plan: Plan) -> bool:
    """Whether a run's answers about a shift are there, whole, with the passes and the scores of today."""
    path = run.stored(out, shift)
    if not path.exists():
        return False
    try:
        names, texts = parquet.header(path, "answers of a run")
        source = documents.json_values(texts[SCHEMA_KEY], path.name)["source"]
    except (InputError, KeyError, TypeError):
        return False
    passes = (source.get("mc_dropout") or {}).get("passes", 0)
    told = {*(source.get("not_applicable") or {}), *(n.removeprefix("score_") for n in names)}
    own = {name for name in RANKED if gambled(name) == (run.loss == GAMBLERS)}
    return passes == (plan.passes if run.drops else 0) and own <= told


def _check(plan: Plan) -> None:
    """Refuse, before anything is trained, data that are not there or of other classes, and empty shifts."""
    from primum.data.leaving_out import held_out

    wholes: dict[str, ImageTable] = {}
    for run in {(run.data, run.variant): run for run in plan.runs}.values():
        source = run.recipe.data
        if run.data not in wholes:
            wholes[run.data] = whole_of(source)
        table = held_out(wholes[run.data], source.leave_out)
        read_severity(run.severity).ordered(table.classes, table.name)
        for shift in run.shifts:
            other = elsewhere(shift, source) if shift.kind == "elsewhere" else table
            if set(other.classes) != set(table.classes):
                raise InputError(
                    f"{run.data}: 'elsewhere' needs a data set of the classes {', '.join(table.classes)}, "
                    f"{shift.name} has {', '.join(other.classes)}"
                )
            shift.rows(other)


def _absent(plan: Plan, own: Sequence[Run]) -> dict[str, str]:
    """Score → why this setting has none of it, known from the bench file alone."""
    gamblers = any(run.loss == GAMBLERS for run in own)
    found = {}
    for name in RANKED:
        if gambled(name) and not gamblers:
            found[name] = "the bench trains no Deep Gamblers network; add 'deep_gamblers: {}'"
        elif SCORES[name].network == CONFIDNET and own[0].recipe.confidnet is None:
            found[name] = "the bench trains no ConfidNet; add 'confidnet: {}'"
        elif of_passes(name) and not (plan.passes and own[0].drops):
            found[name] = "the network has no dropout" if plan.passes else "passes: 0, so no dropout passes"
    return found
