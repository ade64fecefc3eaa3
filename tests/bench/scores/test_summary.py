"""From stored answers to what a bench of scores says, against figures worked out from the answers alone."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from primum import severity, tables
from primum.bench.scores import bench as benches
from primum.bench.scores.bench import bench
from primum.bench.scores.plan import FIT, GAMBLERS
from primum.core.check import InputError
from primum.judge.confidence import RANKED
from primum.judge.metrics import accuracy, cuts, selective
from tests.bench.scores.conftest import CELLS, CLASSES, PASSES, answered, asked
from tests.places import DOCS


@pytest.fixture(autouse=True, scope="module")
def few_replicates():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benches, "REPLICATES", 100)
        yield


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    file, plan, out = asked(tmp_path_factory.mktemp("made"))
    return bench(file, out, progress=False), plan, out


def row_of(content, score, **where):
    (setting,) = content["settings"]
    (shift,) = [s for s in setting["shifts"] if all(s[key] == value for key, value in where.items())]
    return next(row for row in shift["rows"] if row["score"] == score), shift


def by_hand(run, shift, score):
    """Confidence, answers and labels of one run, and its operating threshold."""
    table, fit = answered(run, shift), answered(run, FIT)
    names = table.metadata["mcd_answer"].to_list()
    means = np.array([CLASSES.index(name) for name in names])
    accepted = np.sort(fit.scores[score])[::-1][int(np.ceil(0.8 * len(fit))) - 1]
    return table.scores[score], means if "mcd" in score else table.predicted, table.labels, accepted


@pytest.mark.parametrize(
    ("score", "gamblers"), [("pe", False), ("mcd_msr", False), ("dg", True), ("dg_mcd_msr", True)]
)
def test_a_score_is_judged_by_the_answers_it_speaks_of(found, score, gamblers):
    content, plan, _ = found
    row, shift = row_of(content, score, kind="corruption", level=4)
    runs = [run for run in plan.runs if run.variant is None and (run.loss == GAMBLERS) == gamblers]
    told = [by_hand(run, run.shifts[-1], score) for run in runs]
    cost = severity.read("phantom").ordered(CLASSES, "test").cost
    fatal = severity.read("phantom").ordered(CLASSES, "test").critical
    metrics = row["metrics"]
    assert metrics["aurc"]["values"] == pytest.approx(
        [selective.risk_coverage(a != y, selective.rank(c)).aurc for c, a, y, _ in told]
    )
    assert metrics["cost_augrc"]["mean"] == pytest.approx(
        np.mean([selective.risk_coverage(cost[y, a], selective.rank(c)).augrc for c, a, y, _ in told])
    )
    assert metrics["failure_auroc"]["mean"] == pytest.approx(
        np.mean([accuracy.binary_auroc(a == y, c) for c, a, y, _ in told])
    )
    assert metrics["fpr_at_95_tpr"]["values"] == pytest.approx(
        [cuts.fpr_with_influence(a != y, selective.rank(c))[0] for c, a, y, _ in told]
    )
    silent = [(a != y) & (c >= t) for c, a, y, t in told]
    worst = [fatal[y, a] & (c >= t) for c, a, y, t in told]
    assert row["counts"]["silent"] == pytest.approx(np.mean([one.sum() for one in silent]))
    assert row["counts"]["silent_critical"] == pytest.approx(np.mean([one.sum() for one in worst]))
    assert row["counts"]["accuracy"] == pytest.approx(np.mean([(a == y).mean() for _, a, y, _ in told]))
    of_critical = np.isin(told[0][2], (2, 3)).sum()
    assert shift["of_critical"] == of_critical
    rate = metrics["silent_critical_rate"]
    assert rate["mean"] == pytest.approx(np.mean([one.sum() for one in worst]) / of_critical)
    assert 0 <= rate["low"] <= rate["mean"] <= rate["high"]


def test_confident_failures_are_held_against_the_others(found):
    content, plan, _ = found
    runs = [run for run in plan.runs if run.variant is None and run.loss != GAMBLERS]
    values = []
    for run in runs:
        confidence, answer, label, _ = by_hand(run, run.shifts[-1], "pe")
        failed = np.flatnonzero(answer != label)
        failed = failed[np.argsort(-confidence[failed])]
        pairs = [[CLASSES[label[i]], CLASSES[answer[i]]] in CELLS for i in failed]
        top = int(np.ceil(len(failed) / 3))
        values.append(np.mean(pairs[:top]) - np.mean(pairs[top:]))
    metric = row_of(content, "pe", kind="corruption", level=4)[0]["metrics"]["critical_share_confident"]
    assert metric["values"] == pytest.approx(values)
    assert metric["low"] <= metric["mean"] <= metric["high"]


def test_ranks_are_within_a_shift_and_corruptions_count_once(found):
    content, *_ = found
    (setting,) = content["settings"]
    for shift in setting["shifts"]:
        by = {row["score"]: row["metrics"]["aurc"]["mean"] for row in shift["rows"]}
        first = min(shift["rows"], key=lambda row: row["ranks"]["aurc"]["rank"])
        assert by[first["score"]] == min(by.values())
        assert sum(row["ranks"]["aurc"]["first"] for row in shift["rows"]) == pytest.approx(1)
    means = {one["over"]: one for one in setting["ranks"] if one["metric"] == "aurc"}
    assert {over: one["shifts"] for over, one in means.items()} == {
        "i.i.d.": 1, "corruptions": 1, "left out": 1, "all shifts": 2,
    }  # fmt: skip

    def rank(**where):
        return row_of(content, "pe", **where)[0]["ranks"]["aurc"]["rank"]

    noise = (rank(kind="corruption", level=1) + rank(kind="corruption", level=4)) / 2
    own = next(row for row in means["all shifts"]["rows"] if row["score"] == "pe")
    assert own["rank"] == pytest.approx((noise + rank(kind="left_out")) / 2)


def test_differences_are_to_the_reference_and_paired(found):
    content, *_ = found
    (setting,) = content["settings"]
    assert setting["reference"] == "mcd_msr"
    one, _ = row_of(content, "mcd_ee", kind="iid", without=None)
    other, _ = row_of(content, "mcd_msr", kind="iid", without=None)
    apart = one["metrics"]["aurc"]["difference"]
    assert apart["value"] == pytest.approx(one["metrics"]["aurc"]["mean"] - other["metrics"]["aurc"]["mean"])
    assert apart["low"] < apart["value"] < apart["high"]
    assert "difference" not in other["metrics"]["aurc"]
    same, _ = row_of(content, "mcd_pe", kind="iid", without=None)  # made to be the same order: no gain to see
    assert same["metrics"]["aurc"]["difference"]["value"] == pytest.approx(0, abs=1e-12)


def test_what_does_not_apply_is_listed_with_the_reason(found):
    (setting,) = found[0]["settings"]
    why = {one["score"]: one["why"] for one in setting["not_applicable"]}
    assert why["mahalanobis"] == "the table carries no embeddings"
    assert set(why) & {one["score"] for one in setting["scores"]} == set()


def test_every_silent_failure_is_named(found):
    _, plan, out = found
    frame = pl.read_parquet(out / "silent.parquet")
    here = frame.filter((pl.col("score") == "pe") & (pl.col("level") == 4) & (pl.col("seed") == 1))
    run = next(run for run in plan.runs if run.variant is None and run.seed == 1 and run.loss != GAMBLERS)
    confidence, answer, label, threshold = by_hand(run, run.shifts[-1], "pe")
    expected = np.flatnonzero((answer != label) & (confidence >= threshold))
    assert sorted(here["id"]) == sorted(f"c{i:03d}" for i in expected)
    pairs = here.select("label", "answer").rows()
    assert here["critical"].to_list() == [list(pair) in CELLS for pair in pairs]


def test_the_outputs_say_the_same(found):
    content, _, out = found
    assert json.loads((out / "bench.json").read_text()) == json.loads(json.dumps(content))
    row, _ = row_of(content, "combined", kind="iid", without=None)
    shown = f"{row['metrics']['failure_auroc']['mean']:.3f}"
    for name in ("table.md", "report.html"):
        assert shown in (out / name).read_text(encoding="utf-8")
    frame = pl.read_parquet(out / "findings.parquet")
    mine = frame.filter(
        (pl.col("score") == "combined") & (pl.col("code") == "failure_auroc") & (pl.col("kind") == "iid")
        & pl.col("without").is_null() & pl.col("seed").is_null()
    )  # fmt: skip
    assert mine["value"].to_list() == [row["metrics"]["failure_auroc"]["mean"]]


def fields(content):
    """Every key of nested dictionaries, but those that are names of scores or codes."""
    if isinstance(content, list):
        return set().union(*(fields(one) for one in content)) if content else set()
    if not isinstance(content, dict):
        return set()
    return set(content) | fields(list(content.values()))


def test_every_field_is_documented(found):
    content, _, out = found
    documented = (DOCS / "formats.md").read_text(encoding="utf-8")
    columns = {
        column
        for name in ("findings", "silent")
        for column in pl.read_parquet_schema(out / f"{name}.parquet")
    }
    for field in (fields(content) | columns) - set(RANKED):
        assert f"`{field}`" in documented or f'"{field}"' in documented, f"docs/formats.md lacks {field}"


def test_scores_can_be_chosen(done):
    bench_file, _, out = done
    bench_file.write_text(bench_file.read_text() + "scores: [msr, pe, dg]\nreference: pe\n")
    (setting,) = bench(bench_file, out, progress=False)["settings"]
    assert [one["score"] for one in setting["scores"]] == ["msr", "pe", "dg"]
    assert setting["reference"] == "pe"


def test_a_reference_that_does_not_apply_is_refused(done):
    bench_file, _, out = done
    bench_file.write_text(bench_file.read_text() + "reference: vim\n")
    with pytest.raises(InputError, match="the reference vim does not apply in every shift"):
        bench(bench_file, out, progress=False)


def test_nothing_is_left_to_ask_and_what_is_damaged_is_asked_again(done, monkeypatch):
    _, plan, out = done
    seen = []
    monkeypatch.setattr(
        "primum.bench.scores.bench.question", lambda run, *rest: seen.append((run.folder, *rest[1:2]))
    )
    benches.ask(plan, out, lambda tasks: iter(()), 1, progress=False)
    assert seen == []
    run = plan.runs[3]
    run.stored(out, run.shifts[1]).write_bytes(b"half")
    stale = answered(plan.runs[0], FIT)
    other = dict(stale.source) | {"mc_dropout": {"passes": PASSES + 1}}
    tables.write(type(stale)(**{**vars(stale), "source": other}), plan.runs[0].stored(out, FIT))
    benches.ask(plan, out, lambda tasks: iter(()), 1, progress=False)
    assert seen == [(plan.runs[0].folder, (FIT,)), (run.folder, (run.shifts[1],))]


def test_runs_asked_about_other_cases_are_refused(done):
    bench_file, plan, out = done
    run = plan.runs[1]
    table = answered(run, run.shifts[1])
    tables.write(table.take(np.arange(1, len(table))), run.stored(out, run.shifts[1]))
    with pytest.raises(InputError, match="other cases were asked about"):
        bench(bench_file, out, progress=False)
