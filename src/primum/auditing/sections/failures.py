"""The failures by kind, ready for the page and for the table of cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from primum.auditing.options import Options
from primum.auditing.preparation import Prepared
from primum.auditing.sections.members import answering
from primum.auditing.sections.part import Part
from primum.auditing.supplements import Supplements
from primum.core.arrays import Array, Bools, Floats, Integers, Strings
from primum.judge.failures.evidence import CATEGORIES, UNDETERMINED
from primum.judge.failures.taxonomy import Taxonomy, taxonomy
from primum.judge.failures.words import ADVICE, NAMES, sentence
from primum.judge.sections.failures import (
    ColumnPull,
    Failure,
    FailuresSection,
    Kind,
    Source,
    UntestedColumn,
)
from primum.judge.statistics.shares import share
from primum.predictions import Predictions

LISTED, STUDIES = 200, 3
ENERGY = "lesion_energy"


def section(prepared: Prepared, opts: Options, supplements: Supplements) -> Part[FailuresSection]:
    """The wrong answers of the highest probability, sorted by kind on the best probabilities."""
    test, view, train = prepared.test, prepared.view, supplements.train
    decisions = view.answers["argmax"].decisions
    members = answering(test, supplements) if supplements.members else ()
    kinds = taxonomy(
        test.labels,
        decisions,
        view.probs[prepared.best],
        clusters=view.clusters,
        embeddings=test.embeddings,
        train_embeddings=None if train is None or test.embeddings is None else train.embeddings,
        train_labels=None if train is None or test.embeddings is None else train.labels,
        members=np.stack([member.probs for member in members]) if members else None,
        columns={name: test.metadata[name].to_list() for name in opts.by},
        lesion_energy=_energy(test),
    )
    total, named = len(kinds.rows), int((kinds.category != UNDETERMINED).sum())
    text = f"Each of {total} wrong answers was sorted by kind, {named} of them were given a name."
    content = list_failures(
        kinds,
        test.classes,
        test.ids.to_list(),
        critical=None if opts.critical is None else opts.critical[test.labels, decisions],
        paths=test.metadata["path"].to_list() if "path" in test.metadata.columns else None,
        clusters=view.clusters,
    )
    return Part(content, (), {"failures": {"said": text}}, case_columns(kinds))


def _energy(test: Predictions) -> Floats | None:
    """(N,) share of map energy inside the lesion, or None unless every case has one."""
    if ENERGY not in test.metadata.columns or test.metadata[ENERGY].null_count():
        return None
    return test.metadata[ENERGY].to_numpy()


def list_failures(
    kinds: Taxonomy,
    classes: Sequence[str],
    ids: Sequence[str],
    *,
    critical: Bools | None = None,
    paths: Sequence[str | None] | None = None,
    clusters: Integers | None = None,
) -> FailuresSection:
    """Counts by kind, the evidence there was, and up to 200 failures: critical ones first, then the surest.

    The first three failures of every kind are always among the 200.

    Args:
        kinds: of N judged rows. classes: K names. ids: (N,).
        critical: (N,) whether the answer is a critical error, or None without critical cells.
        paths: (N,) of the images, or None. clusters: (N,) patients, for the intervals of the shares.
    """
    rows = kinds.rows
    fatal = np.zeros(len(rows), dtype=bool) if critical is None else critical[rows]
    confidence = kinds.judged.probs[rows, kinds.judged.predicted[rows]]
    order = np.lexsort((np.asarray(ids, dtype=str)[rows], -confidence, ~fatal))
    return FailuresSection(
        n=len(kinds.judged.labels),
        failures=len(rows),
        categories=[_kind(kinds, name, fatal, clusters) for name in (*CATEGORIES, UNDETERMINED)],
        evidence=[
            Source(
                name=source.name,
                category=source.category,
                used=source.score is not None,
                why_not=f"needs {source.why_not}" if source.why_not else "",
            )
            for source in kinds.evidence
        ],
        pulls=[
            ColumnPull(
                column=pull.column,
                value=pull.value,
                towards=classes[pull.towards],
                rows=pull.rows,
                excess=pull.excess,
                p=pull.p,
            )
            for pull in kinds.pulls
        ],
        columns_left_out=[UntestedColumn(column=name, why=why) for name, why in kinds.left_out.items()],
        rows=[
            _failure(
                kinds,
                int(place),
                classes=classes,
                ids=ids,
                fatal=None if critical is None else bool(fatal[place]),
                paths=paths,
            )
            for place in _listed(kinds.category, order)
        ],
    )


def case_columns(kinds: Taxonomy) -> dict[str, list[object]]:
    """Column name → one value for each of the N judged rows, in their order; null for right answers.

    ``failure_category``, ``evidence_<category>`` for the four kinds, and ``evidence_<source>`` for every
    source that was there.
    """
    n = len(kinds.judged.labels)
    parts: dict[str, Array] = {"failure_category": kinds.category}
    parts |= {f"evidence_{name}": kinds.scores[name] for name in CATEGORIES}
    parts |= {
        f"evidence_{source.name}": source.score for source in kinds.evidence if source.score is not None
    }
    columns = {}
    for name, values in parts.items():
        column: list[object] = [None] * n
        for row, value in zip(kinds.rows.tolist(), values.tolist(), strict=True):
            column[row] = value
        columns[name] = column
    return columns


def _kind(kinds: Taxonomy, name: str, fatal: Bools, clusters: Integers | None) -> Kind:
    members = kinds.category == name
    part = None
    if len(members):
        part = share(members, None if clusters is None else clusters[kinds.rows])
    return Kind(
        category=name,
        name=NAMES[name],
        advice=ADVICE[name],
        n=int(members.sum()),
        critical=int((members & fatal).sum()),
        share=None if part is None else part.value,
        low=None if part is None else part.low,
        high=None if part is None else part.high,
    )


def _listed(category: Strings, order: Integers) -> Integers:
    """Numbers of the failures listed, in order: the first three of every kind, then whoever comes next."""
    ranked = category[order]
    places = np.arange(len(order))
    # a kind of few failures would be lost behind the surest 200 of another
    first = [place for name in np.unique(ranked) for place in places[ranked == name][:STUDIES]]
    later = np.setdiff1d(places, first)[: max(0, LISTED - len(first))]
    listed = np.sort(np.concatenate([np.array(first, dtype=np.int64), later]))
    return np.asarray(order[listed], dtype=np.int64)


def _failure(
    kinds: Taxonomy,
    place: int,
    *,
    classes: Sequence[str],
    ids: Sequence[str],
    fatal: bool | None,
    paths: Sequence[str | None] | None,
) -> Failure:
    row = int(kinds.rows[place])
    answer, category = int(kinds.judged.predicted[row]), str(kinds.category[place])
    return Failure(
        id=str(ids[row]),
        label=classes[int(kinds.judged.labels[row])],
        predicted=classes[answer],
        confidence=float(kinds.judged.probs[row, answer]),
        critical=fatal,
        category=category,
        evidence={name: float(kinds.scores[name][place]) for name in CATEGORIES},
        sentence=sentence(kinds, place, classes),
        advice=ADVICE[category],
        path=None if paths is None else paths[row],
    )
