"""What an audit says beyond its metrics: deferral, members, failures, explanations, the checklist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from primum.auditing.checklist import fill
from primum.auditing.curves.deferral import deferral
from primum.auditing.curves.explanation import explanation
from primum.auditing.curves.failures import case_columns, failures
from primum.auditing.curves.members import members
from primum.auditing.options import Options
from primum.auditing.policy.description import described, names, together, told
from primum.auditing.policy.rows import reader_of, scored
from primum.auditing.preparation import Prepared
from primum.auditing.supplements import Supplements
from primum.judge.failures.evidence import UNDETERMINED
from primum.judge.failures.taxonomy import Taxonomy, taxonomy
from primum.judge.finding import Finding
from primum.judge.metrics import disagreement
from primum.judge.recalibration.recalibrators import unchanged
from primum.judge.statistics import groups
from primum.predictions import Predictions

ENERGY = "lesion_energy"


@dataclass(frozen=True, eq=False)
class Sections:
    """Parts of an audit, each under the name of its section.

    Attributes:
        findings: what policies achieved. settings: one sentence each, for the checklist.
        curves: the data of the sections. columns: of the table of cases, in the order of rows.
    """

    findings: list[Finding] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, list[Any]] = field(default_factory=dict)


def sections(prepared: Prepared, opts: Options, given: Supplements, findings: Sequence[Finding]) -> Sections:
    """Everything that can be said from the judged rows, their findings and what was given beside them."""
    made = Sections()
    _deferral(made, prepared, opts, given)
    _members(made, prepared, opts, given)
    _failures(made, prepared, opts, given)
    _explanation(made, prepared, findings)
    return made


def checklist(
    settings: Mapping[str, Any], findings: list[Finding], given: Supplements
) -> list[dict[str, Any]]:
    """The reporting items, once settings and findings are known."""
    return fill(settings, [one.to_dict() for one in findings], given.study)


def _deferral(made: Sections, prepared: Prepared, opts: Options, given: Supplements) -> None:
    test, fit, chosen = prepared.test, prepared.rows.fit, prepared.chosen
    rule = given.policies[0].decided.rule if given.policies else "argmax"
    best = prepared.best if rule == "bayes" else "none"
    recalibrator = unchanged if chosen is None else chosen.fitted[best]
    judged = scored(test, rule, best, recalibrator, opts.severity, opts.critical)
    fitted = None if fit is None else scored(fit, rule, best, recalibrator, opts.severity, opts.critical)
    stated = next((one.policy.reader for one in given.policies if one.policy.reader is not None), None)
    named = names([one.policy for one in given.policies])
    achieved = [one.findings(opts.severity, stated) for one in given.policies]
    made.findings.extend(told(named, achieved))
    made.findings.extend(together([one.policy for one in given.policies], len(test)))
    reader = reader_of(stated, opts.severity, test.classes)
    policies = [described(*one) for one in zip(given.policies, named, achieved, strict=True)]
    made.curves["deferral"] = deferral(prepared.view, judged, fitted, reader, policies)
    if policies:
        said = "; ".join(one.policy.said for one in given.policies)
        made.settings["deferral"] = {"said": f"Deferral was judged: {said}."}


def _members(made: Sections, prepared: Prepared, opts: Options, given: Supplements) -> None:
    if not given.members:
        return
    test, view = prepared.test, prepared.view
    answered = _answering(test, given)
    made.curves["members"] = members(
        test.labels,
        np.stack([one.predicted for one in answered]),
        [one.name for one in answered],
        test.classes,
        view.clusters,
        list(groups.groups(test.metadata, opts.by)),
        (test.name, test.predicted) if len(given.members) > 1 else None,
    )
    for metric in disagreement.measure_members(view, np.stack([one.predicted for one in answered])):
        made.findings.append(metric.of_patients(view).finding(view))
    made.settings["members"] = {"said": f"{len(answered)} models answered the same cases."}


def _failures(made: Sections, prepared: Prepared, opts: Options, given: Supplements) -> None:
    test, view, train = prepared.test, prepared.view, given.train
    decided = view.answers["argmax"].decisions
    sorted_by_kind = taxonomy(
        test.labels,
        decided,
        view.probs[prepared.best],
        clusters=view.clusters,
        embeddings=test.embeddings,
        train_embeddings=None if train is None or test.embeddings is None else train.embeddings,
        train_labels=None if train is None or test.embeddings is None else train.labels,
        members=np.stack([one.probs for one in _answering(test, given)]) if given.members else None,
        columns={name: test.metadata[name].to_list() for name in opts.by},
        lesion_energy=_energy(test),
    )
    fatal = None if opts.critical is None else opts.critical[test.labels, decided]
    paths = test.metadata["path"].to_list() if "path" in test.metadata.columns else None
    made.curves["failures"] = failures(
        sorted_by_kind, test.classes, test.ids.to_list(), fatal, paths, view.clusters
    )
    made.columns.update(case_columns(sorted_by_kind))
    made.settings["failures"] = {"said": _said(sorted_by_kind)}


def _explanation(made: Sections, prepared: Prepared, findings: Sequence[Finding]) -> None:
    test = prepared.test
    mapped = explanation(
        prepared.view, test.ids.to_list(), test.classes, test.metadata, test.source, findings
    )
    if mapped is None:
        return
    made.curves["explanation"] = mapped
    made.settings["explanations"] = {
        "said": f"What the network looked at was mapped for {mapped['n']} cases ({mapped['method']}).",
        "tested": "Maps were compared with an untrained network's, and under mild changes of the image.",
    }


def _answering(test: Predictions, given: Supplements) -> tuple[Predictions, ...]:
    """The members: those that were given, or with one of them the judged table and that one."""
    return given.members if len(given.members) > 1 else (test, *given.members)


def _energy(test: Predictions) -> Any:
    """(N,) share of map energy inside the lesion, or None unless every case has one."""
    if ENERGY not in test.metadata.columns or test.metadata[ENERGY].null_count():
        return None
    return test.metadata[ENERGY].to_numpy()


def _said(found: Taxonomy) -> str:
    total, named = len(found.rows), int((found.category != UNDETERMINED).sum())
    return f"Each of {total} wrong answers was sorted by kind, {named} of them were given a name."
