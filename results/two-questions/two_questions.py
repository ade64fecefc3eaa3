"""Policies of one and of two questions, held against every shift of a finished bench of scores.

python results/two-questions/two_questions.py BENCH > page.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from primum import severity, tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise
from primum.predictions import Predictions
from primum.tables.selection import stacked

ACCEPTED = 0.8
DRAWS, SPLITS = 2_000, 10
VETO = "stage_profile"
ALPHAS = (0.01, 0.02, 0.05, 0.10)
POLICIES: dict[str, tuple[str, str | None]] = {
    "msr": ("msr", None),
    "critical_mass": ("critical_mass", None),
    "vim": ("vim", None),
    "sirc_residual": ("sirc_residual", None),
    "sirc_multilayer": ("sirc_multilayer", None),
    "vim_residual → msr": ("msr", "vim_residual"),
    "multilayer → msr": ("msr", "multilayer"),
    "multilayer → critical_mass": ("critical_mass", "multilayer"),
    f"{VETO} → msr": ("msr", VETO),
    f"{VETO} → critical_mass": ("critical_mass", VETO),
}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one policy does with the rows of one shift, over networks.

    Attributes:
        accepted, vetoed: (S, N) of every network and row. wrong, fatal: (S, N) errors and critical errors,
            accepted or not. critical: (N,) rows of a critical class. patient: (N,) int.
    """

    accepted: NDArray[np.bool_]
    vetoed: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    fatal: NDArray[np.bool_]
    critical: NDArray[np.bool_]
    patient: NDArray[np.int64]

    @property
    def fatal_accepted(self) -> NDArray[np.float64]:
        """(N,) share of networks that accept a critical error."""
        return (self.fatal & self.accepted).mean(axis=0)

    @property
    def wrong_accepted(self) -> NDArray[np.float64]:
        """(N,) share of networks that accept an error."""
        return (self.wrong & self.accepted).mean(axis=0)


def main() -> None:
    """Print the page of one bench."""
    bench = Path(sys.argv[1])
    folders = sorted(path.parent for path in bench.glob("runs/*/*/*/*/seed-*/scores"))
    variants: dict[str, list[Path]] = {}
    for folder in folders:
        variants.setdefault(folder.parts[-3], []).append(folder)
    data = folders[0].parts[-5]
    matrix = severity.read({"ham10000": "ham10000_malignancy", "chest": "chest_xray"}[data])
    print(
        f"# Two questions: {data}\n\nMade by `python results/two-questions/two_questions.py BENCH/{data}`.\n"
    )
    outcomes: dict[str, dict[str, Outcome]] = {}
    for variant, runs in variants.items():
        for shift in _shifts(runs[0]):
            if variant == "whole" or shift.startswith("left out"):
                name = shift
                outcomes[name] = {policy: judged(runs, shift, policy, matrix) for policy in POLICIES}
                print(name, file=sys.stderr)
    print("\n".join(counts(outcomes)))
    print("\n".join(targets(outcomes)))
    print("\n".join(differences(outcomes)))
    print("\n".join(certified(variants["whole"], matrix)))


def _shifts(run: Path) -> list[str]:
    """Names of the shifts a run was asked about, the test rows first."""
    named = []
    for file in sorted((run / "scores").glob("*.parquet")):
        if file.stem == "cal":
            continue
        kind = tables.read(file).metadata["shift_kind"][0]
        named.append(f"left out {file.stem}" if kind == "left_out" else file.stem)
    return sorted(named, key=lambda name: (name != "test", name.startswith("left out"), name))


def judged(runs: Sequence[Path], shift: str, policy: str, matrix: severity.SeverityMatrix) -> Outcome:
    """One policy, fitted on the calibration rows of each run and held against a shift."""
    score, veto = POLICIES[policy]
    parts = []
    for run in runs:
        cal = tables.read(run / "scores" / "cal.parquet")
        rows = tables.read(run / "scores" / f"{shift.removeprefix('left out ')}.parquet")
        rows = replace(rows, metadata=rows.metadata.drop("split", strict=False))
        fitted = fit(cal, matrix, score, capacity=1 - ACCEPTED, veto=veto)
        decided = apply(fitted, rows).decided
        critical = matrix.ordered(rows.classes, "rows").critical
        familiar = decided.familiar if decided.familiar is not None else np.ones(len(rows), dtype=bool)
        parts.append(
            (
                decided.accepted, ~familiar, decided.decisions != rows.labels,
                critical[rows.labels, decided.decisions],
            )
        )  # fmt: skip
    accepted, vetoed, wrong, fatal = (np.stack(each) for each in zip(*parts, strict=True))
    patients = rows.ids if rows.patients is None else rows.patients
    codes = np.unique(patients.to_numpy().astype(str), return_inverse=True)[1]
    return Outcome(accepted, vetoed, wrong, fatal, critical.any(axis=1)[rows.labels], codes)


def counts(outcomes: dict[str, dict[str, Outcome]]) -> Iterator[str]:
    """Critical failures and failures accepted, a row for each shift."""
    for title, of, all_of in (
        ("Critical failures accepted", "fatal_accepted", "fatal"),
        ("Failures accepted", "wrong_accepted", "wrong"),
    ):
        yield f"\n## {title}\n"
        networks = len(next(iter(outcomes.values()))["msr"].accepted)
        whose = "Means over three networks" if networks == 3 else f"Networks: {networks}"
        yield f"{whose}, of all there are; 80 % of the calibration rows are accepted.\n"
        heads = ["shift", "accuracy", "of all", *POLICIES, f"vetoed by {VETO}"]
        yield "| " + " | ".join(heads) + " |"
        yield "|---|" + "---:|" * (len(heads) - 1)
        for shift, by_policy in outcomes.items():
            first, vetoing = by_policy["msr"], by_policy[f"{VETO} → msr"]
            cells = [f"{getattr(outcome, of).sum():.0f}" for outcome in by_policy.values()]
            total = getattr(first, all_of).mean(axis=0).sum()
            yield (
                f"| {shift} | {1 - first.wrong.mean():.0%} | {total:.0f} | " + " | ".join(cells)
                + f" | {vetoing.vetoed.mean():.0%} |"
            )  # fmt: skip


def targets(outcomes: dict[str, dict[str, Outcome]]) -> Iterator[str]:
    """The targets of the rules, met or not."""
    yield "\n## Targets\n"
    plain, fatal = outcomes["test"], f"{VETO} → critical_mass"
    before = 1 - plain["msr"].wrong.mean()
    for shift, by_policy in outcomes.items():
        level = shift.rpartition("-")[2]
        drop = before - (1 - by_policy["msr"].wrong.mean())
        if not (level.isdigit() and 3 <= int(level) <= 5 and not shift.startswith("left out")):
            continue
        if drop < 0.05:
            yield f"- {shift}: accuracy falls by {100 * drop:.1f} points, no target"
            continue
        total = by_policy[fatal].fatal.mean(axis=0).sum()
        left = by_policy[fatal].fatal_accepted.sum()
        share = left / max(total, 1)
        met = "met" if share <= 0.02 else "**not met**"
        yield (
            f"- {shift}: accuracy falls by {100 * drop:.1f} points; {left:.1f} of {total:.0f} critical "
            f"failures accepted, {share:.1%}: {met}"
        )
    pair = plain[fatal], plain["msr"]
    met = "met" if pair[0].fatal_accepted.sum() <= pair[1].fatal_accepted.sum() else "**not met**"
    yield (
        f"- without a shift: {pair[0].fatal_accepted.sum():.1f} critical failures accepted, "
        f"{pair[1].fatal_accepted.sum():.1f} by msr: {met}"
    )
    if "chest_xray_nih" in outcomes:
        there = outcomes["chest_xray_nih"][f"{VETO} → msr"]
        left = there.wrong_accepted.sum()
        met = "met" if left <= 5 else "**not met**"
        yield f"- other hospital: {left:.1f} of {there.wrong.mean(axis=0).sum():.0f} failures accepted: {met}"


def differences(outcomes: dict[str, dict[str, Outcome]]) -> Iterator[str]:
    """Shares of critical rows with a critical error accepted, and paired differences from msr."""
    yield "\n## Critical failures accepted, of all critical rows: difference from `msr`\n"
    shown = ["critical_mass", "vim", "sirc_multilayer", f"{VETO} → msr", f"{VETO} → critical_mass"]
    yield "Points, with 95 % intervals over patients; the networks are held fixed.\n"
    yield "| shift | critical rows | msr | " + " | ".join(shown) + " |"
    yield "|---|" + "---:|" * (2 + len(shown))
    for shift, by_policy in outcomes.items():
        first = by_policy["msr"]
        if not first.critical.any():
            continue
        cells = [_interval(first, first.fatal_accepted)]
        cells += [_interval(first, by_policy[name].fatal_accepted - first.fatal_accepted) for name in shown]
        yield f"| {shift} | {first.critical.sum()} | " + " | ".join(cells) + " |"


def _interval(outcome: Outcome, value: NDArray[np.float64]) -> str:
    """Mean of a value over critical rows in points, with a bootstrap interval over their patients."""
    _, code = np.unique(outcome.patient[outcome.critical], return_inverse=True)
    total = np.bincount(code, value[outcome.critical])
    size = np.bincount(code).astype(np.float64)
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(size), np.full(len(size), 1 / len(size)), DRAWS)
    low, high = np.quantile(weights @ total / (weights @ size), (0.025, 0.975))
    return f"{100 * total.sum() / size.sum():.1f} ({100 * low:.1f} to {100 * high:.1f})"


def certified(runs: Sequence[Path], matrix: severity.SeverityMatrix) -> Iterator[str]:
    """What a promise among all critical cases clears, over divisions by patient."""
    yield "\n## Certified yield\n"
    yield (
        f"At most α of all critical cases cleared, δ = 5 %, by critical_mass; {SPLITS} divisions by patient "
        f"for each of {len(runs)} networks. Cleared: share of negatives of the other fifth; above: divisions "
        "in which more than α of the critical cases there are cleared, which chance alone does to some.\n"
    )
    heads = "certified | negatives cleared | deferred | vetoed | critical cases cleared | above α there"
    yield f"| α | veto | {heads} |"
    yield "|---:|---|---:|---:|---:|---:|---:|---:|"
    pools = [_pool(run) for run in runs]
    for alpha in ALPHAS:
        for veto in (None, VETO):
            found = [_division(pool, matrix, alpha, veto, seed) for pool in pools for seed in range(SPLITS)]
            held = [each for each in found if each is not None]
            if not held:
                yield f"| {alpha:.0%} | {veto or 'none'} | 0 of {len(found)} | – | – | – | – | – |"
                continue
            means = np.mean(held, axis=0)
            above = sum(each[3] > alpha for each in held)
            shares = " | ".join(f"{mean:.1%}" for mean in means)
            yield f"| {alpha:.0%} | {veto or 'none'} | {len(held)} of {len(found)} | {shares} | {above} |"


def _pool(run: Path) -> Predictions:
    parts = [tables.read(run / "scores" / f"{name}.parquet") for name in ("cal", "test")]
    pool = stacked(parts, renamed=False)
    return replace(pool, metadata=pool.metadata.drop("split", strict=False))


def _division(
    pool: Predictions, matrix: severity.SeverityMatrix, alpha: float, veto: str | None, seed: int
) -> tuple[float, float, float, float] | None:
    """Negatives cleared, deferred, vetoed, critical cases cleared on a fifth; None without a certificate."""
    patients = pool.ids if pool.patients is None else pool.patients
    code = np.unique(patients.to_numpy().astype(str), return_inverse=True)[1]
    held = np.random.default_rng(seed).permutation(code.max() + 1)[code] < (code.max() + 1) // 5
    policy = fit(
        pool.take(~held), matrix, "critical_mass", promise=Promise(alpha=alpha), veto=veto, seed=seed
    )
    if policy.verdict != "certified":
        return None
    rows = pool.take(held)
    decided = apply(policy, rows).decided
    critical = matrix.ordered(rows.classes, "rows").critical
    among = critical.any(axis=1)[rows.labels]
    harmless = critical.any(axis=0)[decided.decisions] & decided.accepted
    familiar = np.ones(len(rows), dtype=bool) if decided.familiar is None else decided.familiar
    return (
        float(harmless[~among].mean()), float((~decided.accepted).mean()), float((~familiar).mean()),
        float(harmless[among].mean()),
    )  # fmt: skip


if __name__ == "__main__":
    main()
