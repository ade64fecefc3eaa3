"""Write the tables of ``results/first-run.md`` from the demos' own ``audit.json`` files.

python results/first_run.py OUT_CHEST OUT_BRAIN OUT_HAM > results/first-run.md
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS = (
    "critical_errors", "cer", "silent_critical_rate", "specificity", "balanced_accuracy", "macro_f1",
    "accuracy", "expected_cost", "normalized_expected_cost", "aurc", "cost_aurc", "failure_auroc",
)  # fmt: skip
PROBABILITIES = ("auroc", "ece", "nll")
HEAD = """# First run on real data

Frozen EfficientNet-Lite0 (ImageNet weights from the offline package), one linear layer trained on
its features, cross-entropy against the risk-calibrated loss (`expected`, λ = 10, a plain default
stated before any test set was read; one seed). Costs 1 / 2 / 10 of the shipped presets. Every cell:
value (95 % interval); the last column is the paired difference, second minus first, on the same
cases. `bayes` decides by least expected cost on the probabilities of the recalibrator with the
least cross-validated NLL on the calibration split, named above each table. Test sets are the
official ones and were used to choose nothing.
"""


def find(content: Mapping[str, Any], code: str, **where: Any) -> Mapping[str, Any] | None:
    """The overall finding of a code; scores other than MSR are left to the report."""
    for finding in content["findings"]:
        fits = finding["code"] == code and finding["group"] == "all" and finding["score"] in (None, "msr")
        if fits and all(finding[name] == value for name, value in where.items()):
            return dict(finding)
    return None


def cell(finding: Mapping[str, Any] | None) -> str:
    """``value (low to high)`` or the reason why not."""
    if finding is None or finding["value"] is None:
        return "–"
    if finding["code"] == "critical_errors":
        return f"{finding['value']:.0f} ({finding['low']:.1f} to {finding['high']:.1f})"
    return f"{finding['value']:.3f} ({finding['low']:.3f} to {finding['high']:.3f})"


def table(content: Mapping[str, Any]) -> list[str]:
    """One Markdown table of a comparison."""
    sides = content["first"], content["second"]
    lines = [
        "| finding | decision | cross-entropy | risk-calibrated | difference |",
        "|---|---|---|---|---|",
    ]
    for rule in ("argmax", "bayes"):
        for code in ROWS:
            cells = [find(side, code, decision=rule) for side in (*sides, content)]
            name = cells[0]["name"] if cells[0] else code
            lines.append(f"| {name} | {rule} | " + " | ".join(cell(c) for c in cells) + " |")
    for state in ("none", "best"):
        for code in PROBABILITIES:
            picked = [side["settings"]["recalibrator"] if state == "best" else "none" for side in sides]
            cells = [
                find(side, code, decision=None, calibrated=p) for side, p in zip(sides, picked, strict=True)
            ]
            cells.append(find(content, code, decision=None, calibrated=state))
            name = cells[0]["name"] if cells[0] else code
            said = "as supplied" if state == "none" else "recalibrated"
            lines.append(f"| {name} | {said} | " + " | ".join(cell(c) for c in cells) + " |")
    return lines


def nlls(settings: Mapping[str, Any]) -> str:
    """``name 0.123`` of every recalibrator."""
    return ", ".join(f"{name} {entry['cv_nll']:.3f}" for name, entry in settings["recalibration"].items())


def section(out: Path) -> list[str]:
    """One data set: command, what was judged, its table."""
    content = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    first, second = content["first"]["settings"], content["second"]["settings"]
    name, seed = first["source"]["data"], first["seed"]
    best = f"{first['recalibrator']} for cross-entropy, {second['recalibrator']} for risk-calibrated"
    return [
        f"\n## {name}\n",
        f"`primum demo --data {name} --root DATA/{name} --out {out.name} --seed {seed}`\n",
        f"{first['n']} test cases, {first['fit_rows']} to recalibrate on; best recalibrator: {best}.\n",
        f"Cross-validated NLL on these: {nlls(first)} (cross-entropy); {nlls(second)} (risk-calibrated).\n",
        *table(content),
    ]


def main(outs: list[Path]) -> None:
    """Print the page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    )
    print(HEAD)
    machine = f"Python {platform.python_version()}, 2 CPU cores, no accelerator"
    print(f"Commit {commit.stdout.strip()}, {machine}. Written by `results/first_run.py` from the folders")
    print("of the three commands.")
    for out in outs:
        print("\n".join(section(out)))
    notes = Path(__file__).with_name("first-run-notes.md")
    if notes.exists():
        print("\n" + notes.read_text(encoding="utf-8").strip())


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
