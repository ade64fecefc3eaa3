"""From finished runs to the table: choices on validation, test read once, means and differences."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from primum import audit, tables
from primum.bench.losses import bench as losses
from primum.bench.losses import validation
from primum.bench.losses.bench import bench
from primum.core import locks
from primum.core.check import InputError
from primum.judge.recalibration import recalibrate
from primum.judge.statistics.significance import holm
from tests.bench.conftest import SEVERITY, answered

COST = np.array([[0, 2, 1], [10, 0, 10], [1, 2, 0]])


@pytest.fixture
def found(done, bench_file):
    _, out = done
    return bench(bench_file, out, progress=False), out


def test_a_second_bench_in_one_folder_is_refused_and_the_first_goes_on(done, bench_file):
    _, out = done
    with locks.alone(out), pytest.raises(InputError, match="another primum is writing here"):
        bench(bench_file, out, progress=False)
    assert bench(bench_file, out, progress=False)["settings"]


def by_hand(run, split):
    """Rule → mean cost of a run, from its predictions alone."""
    cal, judged = answered(run, "cal"), answered(run, split)
    chosen = recalibrate.choose(cal.logits, cal.labels, cal.patients.rank("dense").to_numpy(), 0)
    probs = chosen.fitted[chosen.best](judged.logits)
    decisions = {"argmax": judged.logits.argmax(1), "bayes": (probs @ COST).argmin(1)}
    return {rule: COST[judged.labels, taken].mean() for rule, taken in decisions.items()}


def test_strengths_have_the_least_validation_cost_of_each_rule(done, found):
    plan, _ = done
    (setting,) = found[0]["settings"]
    for rule in ("argmax", "bayes"):
        means = {
            strength: np.mean([by_hand(r, "val")[rule] for r in plan.runs if r.strength == strength])
            for strength in ("strength=1", "strength=10")
        }
        assert setting["strengths"]["risky"][rule] == min(means, key=means.get)
        for strength, mean in means.items():
            assert setting["validation_costs"]["risky"][rule][strength] == pytest.approx(mean, abs=1e-9)
    assert setting["named"]["loss"] == "risky"


def test_no_test_row_is_read_before_the_choice(done, bench_file, monkeypatch):
    _, out = done
    read = []
    monkeypatch.setattr(tables, "read", lambda path, *rest: read.append(path.name) or original(path, *rest))
    bench(bench_file, out, choose_only=True, progress=False)
    assert set(read) == {"val.parquet", "cal.parquet"}
    assert not (out / "findings.parquet").exists()
    assert json.loads((out / "choice.json").read_text())["settings"][0]["named"]["loss"] == "risky"


original = tables.read


def test_means_ranges_and_differences_are_those_of_the_seeds(done, found):
    plan, _ = done
    (setting,) = found[0]["settings"]
    rows = {(row["loss"], row["decision"]): row for row in setting["rows"]}
    plain = [by_hand(run, "test") for run in plan.runs if run.loss == "plain"]
    risky = [by_hand(run, "test") for run in plan.runs if run.strength == rows["risky", "bayes"]["strength"]]
    cost = rows["risky", "bayes"]["metrics"]["expected_cost"]
    values = [one["bayes"] for one in risky]
    assert cost["mean"] == pytest.approx(np.mean(values))
    assert (cost["least"], cost["most"]) == (pytest.approx(min(values)), pytest.approx(max(values)))
    expected = np.mean(values) - np.mean([one["bayes"] for one in plain])
    assert cost["difference"]["value"] == pytest.approx(expected)
    assert cost["difference"]["low"] < expected < cost["difference"]["high"]
    assert "difference" not in rows["plain", "bayes"]["metrics"]["expected_cost"]
    at_argmax = rows["plain", "argmax"]["metrics"]["expected_cost"]["difference"]["value"]
    assert at_argmax == pytest.approx(np.mean([one["argmax"] - one["bayes"] for one in plain]))


def test_the_primary_family_is_expected_cost_after_bayes(found):
    (setting,) = found[0]["settings"]
    families = {"primary": [], "exploratory": []}
    for row in setting["rows"]:
        for code, metric in row["metrics"].items():
            if "difference" in metric:
                families[metric["difference"]["family"]].append((code, row["decision"], metric["difference"]))
    assert [(code, rule) for code, rule, _ in families["primary"]] == [("expected_cost", "bayes")]
    exploratory = [one for *_, one in families["exploratory"]]
    assert len(exploratory) > 10
    assert [one["p_holm"] for one in exploratory] == pytest.approx(holm([one["p"] for one in exploratory]))


def test_every_finding_is_kept_and_is_that_of_an_audit(done, found, severity_file):
    plan, out = done
    frame = pl.read_parquet(found[1] / "findings.parquet")
    of_runs = frame.filter(pl.col("split") == "val").select("loss", "strength", "seed").unique()
    assert len(of_runs) == len(plan.runs)
    frame = frame.filter(pl.col("split") == "test")
    assert set(frame["seed"]) == {0, 1}
    run = next(run for run in plan.runs if run.loss == "plain" and run.seed == 0)
    folder = out / run.folder / "predictions"
    audited = audit(
        folder / "test.parquet", severity_file, folder / "cal.parquet", bootstrap=losses.REPLICATES
    )
    mine = frame.filter((pl.col("loss") == "plain") & (pl.col("seed") == 0))
    for code in ("cer", "expected_cost", "nll"):
        theirs = [f.value for f in audited.findings if f.code == code and f.value is not None]
        assert mine.filter(pl.col("code") == code)["value"].drop_nulls().to_list() == pytest.approx(theirs)


def test_the_outputs_say_the_same(found):
    content, out = found
    assert json.loads((out / "bench.json").read_text()) == json.loads(json.dumps(content))
    (setting,) = content["settings"]
    row = next(row for row in setting["rows"] if row["reference"])
    shown = f"{row['metrics']['expected_cost']['mean']:.3f}"
    for name in ("table.md", "report.html"):
        assert shown in (out / name).read_text(encoding="utf-8")
    assert (out / "table.md").read_text(encoding="utf-8").count("| risky |") + (out / "table.md").read_text(
        encoding="utf-8"
    ).count("| **risky** |") == 3


def test_matched_specificity_has_both_readings(found):
    (setting,) = found[0]["settings"]
    bayes = next(row for row in setting["rows"] if row["decision"] == "bayes")["metrics"]
    for wanted in (70, 80, 90):
        assert 0 <= bayes[f"cer_at_specificity_{wanted}_roc"]["mean"] <= 1
        assert 0 <= bayes[f"cer_at_specificity_{wanted}_deployed"]["mean"] <= 1
        assert abs(bayes[f"specificity_reached_{wanted}"]["mean"] - wanted / 100) < 0.15
    curve = setting["curves"][0]
    at = curve["specificity"].index(0.8)
    assert curve["cer"][at] == pytest.approx(bayes["cer_at_specificity_80_roc"]["mean"])
    assert (np.diff(curve["cer"]) >= -1e-12).all()


def test_too_few_validation_rows_choose_nothing(done, bench_file):
    plan, out = done
    path = out / plan.runs[0].folder / "predictions" / "val.parquet"
    tables.write(tables.read(path).take(np.arange(9)), path)
    with pytest.raises(InputError, match="nothing can be chosen on the validation rows, at least 10 cases"):
        bench(bench_file, out, progress=False)


def test_the_severity_of_the_fixture_is_the_one_worked_with():
    assert SEVERITY["cost"] == {"fine": 1, "false_alarm": 2, "critical": 10}
    assert validation.RULES == ("argmax", "bayes")
