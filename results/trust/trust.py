"""Write the trust page of one task: ``chest`` or ``ham10000``.

python results/trust/trust.py chest DATA RUNS OUT > results/trust/chest.md

DATA holds the data sets, RUNS the trained networks (README.md says how they were trained); maps, passes,
policies, audits and the page of case studies, ``OUT/studies.html``, are written to OUT.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pipeline import CAPACITIES, PASSES, READER, TASKS, Member, Pipeline, build, plain, threshold_of
from sklearn.metrics import f1_score
from studies import page

from primum import __version__
from primum.auditing.audits import Audit
from primum.auditing.policy.rows import Scored
from primum.auditing.policy.terms import StatedReader
from primum.auditing.preparation import codes
from primum.core import files
from primum.judge.answers import View
from primum.judge.deferral.costs import Reader
from primum.judge.deferral.measure import deferral
from primum.judge.deferral.scored import Decided
from primum.judge.finding import Finding
from primum.judge.metrics import combination
from primum.judge.metrics.measured import Measured
from primum.judge.statistics import significance
from primum.predictions import Predictions

MAIN = ("accuracy", "balanced_accuracy", "cer", "critical_errors", "specificity", "expected_cost")
CALIBRATION = ("ece", "ece_equal_mass", "classwise_ece", "debiased_calibration_error", "skce", "brier", "nll")
SCORES = ("msr", "mcd_msr", "mcd_pe", "mcd_ee", "mcd_mi", "mcd_variance", "mcd_waic", "tta_msr", "tta_mi")
STABILITY = ("stability_spearman", "stability_ssim", "stability_iou", "stability_shift")
MEDIAN = 1  # of lower quartile, median, upper quartile


def main(name: str, root: Path, runs: Path, out: Path) -> None:
    """Print the page and write the case studies."""
    found = build(TASKS[name], root, runs, out)
    print("\n".join(lines(name, found)))
    with files.whole(out / "studies.html") as draft:
        draft.write_text(page(found, root, out), encoding="utf-8")
    print(f"{out / 'studies.html'}", file=sys.stderr)


def lines(name: str, found: Pipeline) -> Iterator[str]:
    """The Markdown page."""
    first = found.members[0]
    yield f"# {found.task.title}\n"
    yield f"`python results/trust/trust.py {name} DATA RUNS OUT > results/trust/{name}.md`\n"
    yield (
        f"{len(first.test)} official test cases, {len(first.cal)} calibration cases that no "
        f"network was trained on, severity `{found.task.severity}`. Value (95 % interval). Whatever was "
        f"fitted or chosen was so on calibration rows. primum {__version__}, Python "
        f"{platform.python_version()}, no accelerator.\n"
    )
    for part in (_networks, _calibration, _doubt, _explanations, _failures, _ensemble, _deferral, _certified):
        yield from part(found)
        yield ""


def _networks(found: Pipeline) -> Iterator[str]:
    yield "## 1, 2. The networks, and the ensemble of their mean probabilities\n"
    yield "| | AUROC | F1 | " + " | ".join(_name(found.audit, code) for code in MAIN) + " |"
    yield "|---|---|---|" + "---|" * len(MAIN)
    for name, table, judged in (
        *((member.name, member.test, member.audit) for member in found.members),
        ("ensemble", found.answers, found.audit),
    ):
        auroc = cell(judged.finding("auroc", calibrated="none"), 4)
        cells = [cell(judged.finding(code, decision="argmax")) for code in MAIN]
        yield f"| {name} | {auroc} | {_f1(table):.4f} | {' | '.join(cells)} |"
    if found.task.published:
        yield "\nPublished: " + "; ".join(found.task.published.values()) + "."


def _f1(table: Predictions) -> float:
    """Of the second class where there are two, else the macro mean."""
    two = len(table.classes) == 2
    kind: dict[str, Any] = {"pos_label": 1} if two else {"average": "macro"}
    return float(f1_score(table.labels, table.predicted, **kind))


def _calibration(found: Pipeline) -> Iterator[str]:
    yield "## 3. Is 87 % confidence 87 % accuracy?\n"
    yield "| | recalibrated by | " + " | ".join(_name(found.audit, code) for code in CALIBRATION) + " |"
    yield "|---|---|" + "---|" * len(CALIBRATION)
    for name, judged in [
        *((member.name, member.audit) for member in found.members),
        ("ensemble", found.audit),
    ]:
        for state in dict.fromkeys(("none", judged.settings["recalibrator"])):
            cells = [cell(judged.finding(code, calibrated=state)) for code in CALIBRATION]
            yield f"| {name} | {'– (as it came)' if state == 'none' else state} | {' | '.join(cells)} |"
    yield "\nRecalibrator of least cross-validated NLL on the calibration rows."


def _doubt(found: Pipeline) -> Iterator[str]:
    yield f"## 4. Which answers are in doubt? {PASSES} dropout passes, and changed images\n"
    yield "AUROC by which each score tells the wrong answers of the mean over passes from the right ones.\n"
    yield "| | dropout in | " + " | ".join(SCORES) + " |"
    yield "|---|---|" + "---|" * len(SCORES)
    for member in found.members:
        cells = [
            cell(member.doubt.finding("failure_auroc", decision="argmax", score=name)) for name in SCORES
        ]
        where = member.passes.source["mc_dropout"]["where"]
        yield f"| {member.name} | {where} | {' | '.join(cells)} |"
    yield "\nmsr stands for the confidence of the same mean and equals mcd_msr by definition."


def _explanations(found: Pipeline) -> Iterator[str]:
    yield "## 5, 6. What did it look at, and does that hold still? Grad-CAM\n"
    yield (
        "| | grid | median Spearman: worst change | untrained network | "
        "answers that changed, worst change | energy on the lesion | its share of the image | "
        "failure AUROC by stability | gain beyond confidence |"
    )
    yield "|---" * 9 + "|"
    for member in found.members:
        yield f"| {member.name} | " + " | ".join(_explained(member)) + " |"


def _explained(member: Member) -> list[str]:
    told = member.explained.source["explanation"]
    untrained = told["untrained"]["measures"]["spearman"][MEDIAN]
    worst = min(change["measures"]["spearman"][MEDIAN] for change in told["changes"])
    changed = max(change["answer_changed"] for change in told["changes"])
    lesion = ["–", "–"]
    if member.masked is not None:
        seen = member.masked.source["explanation"]["lesion"]
        lesion = [f"{seen[what][MEDIAN]:.0%} ({seen['n']} images)" for what in ("energy", "area")]
    judged = [member.audit.finding("failure_auroc", decision="argmax", score=name) for name in STABILITY]
    best = max(judged, key=lambda one: one.value or 0)
    gain = member.audit.finding("instability_auroc_gain")
    return [
        " × ".join(map(str, told["grid"])), f"{worst:.2f}", f"{untrained:.2f}",
        f"{changed:.1%}", *lesion, f"{cell(best)}, {best.score}", f"{cell(gain)}; {gain.why.split(';')[0]}",
    ]  # fmt: skip


def _failures(found: Pipeline) -> Iterator[str]:
    yield "## 7. Why was it wrong? Every failure sorted\n"
    kinds = [kind["name"] for kind in found.members[0].audit.curves["failures"]["categories"]]
    yield "| | failures | " + " | ".join(kinds) + " |"
    yield "|---|---|" + "---|" * len(kinds)
    for member in found.members:
        shown = member.audit.curves["failures"]
        cells = [f"{kind['n']} ({kind['critical']} critical)" for kind in shown["categories"]]
        yield f"| {member.name} | {shown['failures']} | {' | '.join(cells)} |"
    yield "\nThe names are hypotheses; `results/taxonomy.md` says how often they are right on made images."


def _ensemble(found: Pipeline) -> Iterator[str]:
    yield "## 8a. Who is right where the members differ?\n"
    oracle, lost = (found.audit.finding(code) for code in ("oracle_accuracy", "members_all_wrong"))
    yield f"All members wrong: {cell(lost)}; accuracy if a right member were always picked: {cell(oracle)}.\n"
    yield "| | accuracy | right alone among the members |"
    yield "|---|---|---|"
    answers = np.stack([member.test.correct for member in found.members])
    for row, member in enumerate(found.members):
        alone = int((answers[row] & (answers.sum(axis=0) == 1)).sum())
        yield f"| {member.name} | {answers[row].mean():.3f} | {alone} |"
    yield f"\nMembers differ on {_differ(found)} of {len(found.answers)} cases."


def _differ(found: Pipeline) -> int:
    answers = np.stack([member.test.predicted for member in found.members])
    return int((answers != answers[0]).any(axis=0).sum())


def _deferral(found: Pipeline) -> Iterator[str]:
    yield "## 8b. When should it stay silent? Thresholds from the calibration rows\n"
    tried = ", ".join(f"{name} {value:.1%}" for name, value in found.chosen_by.items())
    yield (
        f"Score: **{found.score}**, by the least failure cost on the calibration rows with "
        f"{CAPACITIES[0]:.0%} of them deferred, as a share of that without deferral ({tried}). "
        "Accepted at or above the threshold. "
        "Failure cost: severity of accepted errors + cost of deferring, against no deferral.\n"
    )
    yield (
        "| policy | threshold | deferred of test | failure cost, free reader | failure cost, reader cost "
        f"{READER:g} | CER of accepted critical cases | critical cases accepted |"
    )
    yield "|---" * 7 + "|"
    for name, applied in found.policies.items():
        if applied.policy.kind == "certified":
            continue
        judged = {one.code: one for one in applied.findings(reader=StatedReader(READER, None))}
        threshold = applied.policy.threshold
        order = (
            "deferred_share", "failure_cost_ratio", "failure_cost_ratio_with_reader", "accepted_cer",
            "critical_coverage",
        )  # fmt: skip
        yield f"| {name} | {threshold:.4g} | " + " | ".join(cell(judged[code]) for code in order) + " |"
    yield "\n### Against the maximum softmax response of one network\n"
    yield (
        "Failure cost per case, free reader, ensemble minus single network, paired by patient. "
        "*Deployed*: each system's threshold from its own calibration rows. *Same share*: each defers "
        "exactly this share of the test cases (thresholds read there, for the comparison alone). The last "
        "column is the same share with the ensemble's own msr: what the score adds to the ensemble.\n"
    )
    yield (
        "| share | single network | deferred: single, ensemble | deployed difference | p | single's cost, "
        "same share | same share difference | p | ensemble's score − its msr |"
    )
    yield "|---" * 9 + "|"
    yield from _against(found)


def _against(found: Pipeline) -> Iterator[str]:
    view = view_of(found)
    whole = plain(found.answers, found.severity)
    of_cal = plain(found.cal, found.severity)
    for share in CAPACITIES:
        for member in found.members:
            single, single_cal = plain(member.test, found.severity), plain(member.cal, found.severity)
            deployed = [
                cost_of(view, single, "msr", threshold_of(single_cal, "msr", share)[0]),
                cost_of(view, whole, found.score, threshold_of(of_cal, found.score, share)[0]),
            ]
            same = [
                cost_of(view, answers, score, threshold_of(answers, score, share)[0])
                for answers, score in ((single, "msr"), (whole, found.score), (whole, "msr"))
            ]
            shares = [f"{one['deferred_share'].value:.1%}" for one in deployed]
            cells = [
                *_paired(deployed[0], deployed[1], view),
                f"{same[0]['failure_cost'].value:.3f}",
                *_paired(same[0], same[1], view),
                _paired(same[2], same[1], view)[0],
            ]
            yield f"| {share:.0%} | {member.name} | {', '.join(shares)} | " + " | ".join(cells) + " |"


def _paired(first: dict[str, Measured], second: dict[str, Measured], view: View) -> list[str]:
    gain = combination.difference([_bare(first)], [_bare(second)], view).estimate(view)
    return [f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})", f"{significance.p_value(gain):.2g}"]


def _bare(measured: dict[str, Measured]) -> Measured:
    return measured["failure_cost"]


def view_of(found: Pipeline) -> View:
    """Labels, patients and costs of the test rows."""
    rows, matrix = found.answers, found.severity.ordered(found.answers.classes, "severity")
    patients = None if rows.patients is None else codes(rows.patients)
    units = codes(rows.ids) if patients is None else patients
    return View(
        rows.labels, {"none": rows.probs}, {}, patients, units, matrix.cost, matrix.critical, None, 2000, 0
    )


def cost_of(view: View, answers: Scored, score: str, threshold: float) -> dict[str, Measured]:
    """What accepting at or above a threshold comes to, by code."""
    confidence = answers.confidence[score]
    decided = Decided(
        answers.rule,
        answers.calibrated,
        answers.decisions,
        score,
        confidence,
        np.full(len(confidence), threshold),
    )
    return {one.code: one for one in deferral(view, decided, Reader(READER))}


def _certified(found: Pipeline) -> Iterator[str]:
    yield "## 8c. A promise: critical errors in at most 2 % of accepted critical cases, at 95 % confidence\n"
    yield "| answers by | verdict | deferred | CER of accepted critical cases | critical cases accepted |"
    yield "|---|---|---|---|---|"
    said = []
    for applied in found.policies.values():
        if applied.policy.kind != "certified":
            continue
        judged = {one.code: one for one in applied.findings()}
        threshold = next(iter(applied.policy.thresholds.values()))
        cells = [cell(judged[code]) for code in ("deferred_share", "accepted_cer", "critical_coverage")]
        verdict = threshold.why or applied.policy.verdict.replace("_", " ")
        yield f"| {applied.policy.decision} | {verdict} | {' | '.join(cells)} |"
        warned = [one.why for one in judged.values() if one.verdict == "warning" and one.why != threshold.why]
        said += [f"{applied.policy.decision}: {why}" for why in warned]
    yield (
        "\nBoth promises were tried on the same calibration rows, each at 5 %: that both hold is 90 % sure, "
        "and a certified one picked for being so is no surer."
    )
    yield "\nWarnings of the audit: " + "; ".join(said) + "." if said else ""


def _name(judged: Audit, code: str) -> str:
    return next(one.name for one in judged.findings if one.code == code)


def cell(finding: Finding, digits: int = 3) -> str:
    """``value (low to high)``, or why there is none."""
    if finding.value is None:
        return finding.why
    if finding.code == "critical_errors":
        return f"{finding.value:.0f} ({finding.low:.0f} to {finding.high:.0f})"
    return f"{finding.value:.{digits}f} ({finding.low:.{digits}f} to {finding.high:.{digits}f})"


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in TASKS:
        sys.exit(__doc__)
    main(sys.argv[1], *(Path(argument) for argument in sys.argv[2:]))
