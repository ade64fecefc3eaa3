"""Is a policy at home at a site? Its veto on rows without labels, and what holds there whatever they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from primum.auditing.guards import first_cases
from primum.auditing.policy.document import Policy
from primum.auditing.policy.rows import severity_of
from primum.auditing.policy.terms import percent
from primum.auditing.preparation import codes
from primum.core import files
from primum.core.arrays import Bools, Integers
from primum.core.check import InputError
from primum.judge.deferral import site
from primum.judge.deferral.scored import Decided
from primum.judge.statistics import groups
from primum.judge.statistics.shares import at_most
from primum.judge.statistics.significance import holm
from primum.predictions import Predictions

SCHEMA = "primum.site/1"
NO_FATAL = "the policy knows no critical cells, so no answer is known to be fatal"


@dataclass(frozen=True)
class Bounded:
    """Patients (else images) of a kind, counted, and the exact one-sided 95 % bound of their share."""

    count: int
    n: int
    at_most: float


@dataclass(frozen=True)
class Site:
    """What is known of one site without a label.

    Attributes:
        group: ``"all"`` or ``"column=value"``. images: rows.
        units: independent units the alarm counts, vetoed: those sent away as unfamiliar.
        p: of "no more than the policy's bound are vetoed here", adjusted (Holm) over all sites checked.
        verdict: ``suspended`` at p ≤ 0.01, where nothing the policy promises holds; else ``usable``.
        passing: with an image that passes the veto; their share bounds that of fatal mistakes used.
        harmless: with an accepted image whose answer would be fatal for some class; a tighter bound of the
            same. None where the policy knows no critical cells.
    """

    group: str
    images: int
    units: int
    vetoed: int
    p: float
    verdict: Literal["usable", "suspended"]
    passing: Bounded
    harmless: Bounded | None


@dataclass(frozen=True)
class SiteCheck:
    """A policy's veto at one site or several, from rows without labels.

    Attributes:
        name: of the table. score, rate, bound: of the veto: its novelty score, and known-like units that it
            sends away, at most, on average and with 95 % confidence.
        unit: what the alarm counts: ``patients`` (unfamiliar when any image is), ``patients, one image each``
            (of a policy fitted without patients) or ``images``.
        bounded: what ``passing`` and ``harmless`` count: ``patients`` (any image of theirs) or ``images``.
        needed: units from which on a veto of 20 % is noticed with a power of 80 %, or None where that is not
            above the bound.
        sites: one of all rows, or one a group. notes: one sentence each.
    """

    name: str
    score: str
    rate: float
    bound: float
    unit: str
    bounded: str
    needed: int | None
    sites: tuple[Site, ...]
    notes: tuple[str, ...] = ()

    @property
    def suspended(self) -> bool:
        """Whether the policy is suspended at any of the sites."""
        return any(each.verdict == "suspended" for each in self.sites)

    @property
    def sentence(self) -> str:
        """What is wrong at the site that looks most unlike the fit rows; empty where nothing is."""
        worst = min(self.sites, key=lambda each: each.p)
        if worst.verdict != "suspended":
            return ""
        where = "" if worst.group == "all" else f" at {worst.group}"
        return (
            f"{worst.vetoed} of {worst.units} {self.unit}{where} are unfamiliar to the policy, where at most "
            f"{percent(self.bound)} should be (p = {worst.p:.2g}): what it promises is suspended, so send "
            "every case to a reader, or fit a policy on rows of this site"
        )

    def to_json(self, path: Path | str | None = None) -> str:
        """JSON text of schema ``primum.site/1``, written whole to ``path`` when one is there."""
        content = {"schema": SCHEMA, "suspended": self.suspended, **asdict(self)}
        text = json.dumps(content, indent=1, allow_nan=False)
        if path is not None:
            with files.whole(path) as draft:
                draft.write_text(text, encoding="utf-8")
        return text


def need_veto(policy: Policy) -> None:
    """Refuse a policy without a veto."""
    if policy.veto is None:
        raise InputError(
            "policy: a site is checked by a policy's veto, this policy has none; fit it with --veto auto"
        )


def check_sites(policy: Policy, table: Predictions, decided: Decided, by: str | None = None) -> SiteCheck:
    """Hold the veto of a policy against rows of which no label is read.

    Args:
        policy: with a veto. table: judged rows. decided: what the policy answered to them.
        by: column of the sites, each judged alone with Holm-adjusted p-values; all rows together without.

    Raises InputError for a policy without a veto, and a column that is not there.
    """
    need_veto(policy)
    assert policy.veto is not None
    assert decided.familiar is not None
    parts = [("all", np.arange(len(table)))] if by is None else groups.groups(table.metadata, (by,))
    by_patient, patients = policy.fit.patients is not None, table.patients
    known, clusters = patients is not None, None if patients is None else codes(patients)
    counts, notes = [], list[str]()
    for _, rows in parts:
        unfamiliar = ~decided.familiar[rows]
        if known and not by_patient:
            counted = unfamiliar[first_cases(table.take(rows))]
        else:
            counted = site.any_of(unfamiliar, _of(clusters, rows))
        counts.append((int(counted.sum()), len(counted)))
    adjusted = holm([float(site.p_value(vetoed, n, policy.veto.bound)) for vetoed, n in counts])
    fatal = _fatal(policy, table, decided)
    sites = []
    for (group, rows), (vetoed, n), p in zip(parts, counts, adjusted, strict=True):
        units = _of(clusters, rows)
        sites.append(
            Site(
                group, len(rows), units=n, vetoed=vetoed, p=p,
                verdict="suspended" if p <= site.LEVEL else "usable",
                passing=_bounded(decided.familiar[rows], units),
                harmless=None if fatal is None else _bounded(fatal[rows], units),
            )
        )  # fmt: skip
    if by_patient and not known:
        notes.append(
            "patients are not known here, so each image counts as one; images of one patient are alike, "
            "which makes the alarm too loud and the bounds too tight"
        )
    if fatal is None:
        notes.append(NO_FATAL)
    unit = ("patients" if by_patient else "patients, one image each") if known else "images"
    return SiteCheck(
        table.name, policy.veto.score, policy.veto.rate, policy.veto.bound,
        unit=unit, bounded="patients" if known else "images", needed=site.fewest(policy.veto.bound),
        sites=tuple(sites), notes=tuple(notes),
    )  # fmt: skip


def _fatal(policy: Policy, table: Predictions, decided: Decided) -> Bools | None:
    """(N,) accepted answers that would be a critical error of some class; None without critical cells.

    Whatever the labels are, no other accepted answer can be fatal.
    """
    critical = severity_of(policy, table.classes)[1]
    if critical is None or not critical.any():
        return None
    fatal = np.asarray(critical.any(axis=0), dtype=np.bool_)
    return fatal[decided.decisions] & decided.accepted


def _of(clusters: Integers | None, rows: Integers) -> Integers | None:
    return None if clusters is None else clusters[rows]


def _bounded(flags: Bools, clusters: Integers | None) -> Bounded:
    hits = site.any_of(flags, clusters)
    count, n = int(hits.sum()), len(hits)
    return Bounded(count, n, at_most(count, n))
