"""Did the explanations hold still, do they differ from an untrained network's, do they look at the lesion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from primum.auditing.preparation import Prepared
from primum.auditing.sections.part import Part
from primum.core.arrays import Array, Bools, Floats
from primum.judge.answers import View
from primum.judge.explanation.beyond import CODE
from primum.judge.explanation.similarity import quartiles
from primum.judge.finding import Finding
from primum.judge.sections.content import Sections
from primum.judge.sections.explanation import CaseStudy, ExplanationSection, Gain, Outcome

SCORE = "stability_spearman"
OF_THE_RUN = ("method", "layer", "grid", "n", "blank", "changes", "untrained", "lesion")


def section(prepared: Prepared, findings: Sequence[Finding]) -> Part[ExplanationSection]:
    """What ``primum explain`` wrote into the table; empty for any other table."""
    test = prepared.test
    content = summarize_maps(
        prepared.view,
        test.ids.to_list(),
        test.classes,
        metadata=test.metadata,
        source=test.source,
        findings=findings,
    )
    if content is None:
        return Part()
    sentences = {
        "said": f"What the network looked at was mapped for {content.n} cases ({content.method}).",
        "tested": "Maps were compared with an untrained network's, and under mild changes of the image.",
    }
    return Part(content, (), {"explanations": sentences})


def summarize_maps(
    view: View,
    ids: Sequence[str],
    classes: Sequence[str],
    *,
    metadata: pl.DataFrame,
    source: Mapping[str, object],
    findings: Iterable[Finding] = (),
) -> ExplanationSection | None:
    """Everything the section on explanations draws; None for a table that ``primum explain`` did not write.

    Args:
        view: N judged rows. ids: (N,). classes: K names. metadata: N rows.
        source: of the table; its ``explanation`` says how maps were made and what all of them showed.
        findings: among them ``instability_auroc_gain`` of all cases.

    Raises InputError where the source describes its maps in another form.
    """
    run, answers = source.get("explanation"), view.answers["argmax"]
    if not isinstance(run, Mapping) or SCORE not in answers.confidence:
        return None
    n, stable = len(view.labels), answers.confidence[SCORE]
    wrong = answers.decisions != view.labels
    fatal = np.zeros(n, bool) if view.critical is None else view.critical[view.labels, answers.decisions]
    speaking = ~_column(metadata, "map_blank", n, False).astype(bool)
    pictured = _column(metadata, "map_path", n, "") != ""
    outcomes = {"right": ~wrong, "wrong": wrong, "critical": fatal}
    # of the source only what the section holds: a table of another version may say more
    measured = {name: run[name] for name in OF_THE_RUN if run.get(name) is not None}
    summary = Sections.from_dict({"explanation": measured}).explanation
    assert summary is not None
    return ExplanationSection(
        **{name: getattr(summary, name) for name in OF_THE_RUN},
        outcomes=[
            _outcome(name, stable[among & speaking], metadata, among) for name, among in outcomes.items()
        ],
        beyond=[
            Gain(
                score=finding.score, value=finding.value, low=finding.low, high=finding.high, n=finding.n,
                why=finding.why, verdict=finding.verdict,
            )
            for finding in findings
            if finding.code == CODE and finding.group == "all" and finding.decision == "argmax"
        ],
        studies=[
            _study(title, row, view, ids=ids, classes=classes, metadata=metadata, fatal=fatal)
            for title, row in _chosen(stable, wrong, fatal, speaking & pictured)
        ],
    )  # fmt: skip


def _column(metadata: pl.DataFrame, name: str, n: int, empty: object) -> Array:
    if name not in metadata.columns:
        return np.full(n, empty)
    return np.array([empty if value is None else value for value in metadata[name]])


def _outcome(name: str, stable: Floats, metadata: pl.DataFrame, among: Bools) -> Outcome:
    focus = np.empty(0)
    if "lesion_focus" in metadata.columns:
        focus = metadata["lesion_focus"].filter(pl.Series(among)).drop_nulls().to_numpy()
    return Outcome(
        outcome=name,
        n=len(stable),
        spearman=quartiles(stable),
        masked=len(focus),
        focus=quartiles(focus),
    )


def _chosen(stable: Floats, wrong: Bools, fatal: Bools, pictured: Bools) -> list[tuple[str, int]]:
    """The least stable failure, the stillest critical one (or failure), a right one of middling stability."""
    chosen: list[tuple[str, int]] = []
    failures = np.flatnonzero(wrong & pictured)
    if len(failures):
        chosen.append(("least stable wrong answer", int(failures[np.argmin(stable[failures])])))
    worst, name = np.flatnonzero(fatal & pictured), "stillest critical error"
    if not len(worst):
        worst, name = failures, "stillest wrong answer"
    if len(worst) and int(worst[np.argmax(stable[worst])]) not in [row for _, row in chosen]:
        chosen.append((name, int(worst[np.argmax(stable[worst])])))
    right = np.flatnonzero(~wrong & pictured)
    if len(right):
        middle = np.abs(stable[right] - np.median(stable[~wrong]))
        chosen.append(("right answer of middling stability", int(right[np.argmin(middle)])))
    return chosen


def _study(
    title: str,
    row: int,
    view: View,
    *,
    ids: Sequence[str],
    classes: Sequence[str],
    metadata: pl.DataFrame,
    fatal: Bools,
) -> CaseStudy:
    answers = view.answers["argmax"]
    columns = {
        name: metadata[name][row] if name in metadata.columns else None
        for name in ("map_path", "answer_kept", "lesion_energy", "lesion_area")
    }
    return CaseStudy(
        title=title,
        id=str(ids[row]),
        label=classes[int(view.labels[row])],
        predicted=classes[int(answers.decisions[row])],
        critical=bool(fatal[row]),
        confidence=float(answers.confidence["msr"][row]),
        spearman=float(answers.confidence[SCORE][row]),
        **columns,
    )
