"""Everything one start of the explorer shows: the answers of one model to cases of several domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from primum.auditing.options import OPERATING_COVERAGE
from primum.auditing.preparation import codes
from primum.core import check, ties
from primum.core.arrays import Bools, Floats, Integers
from primum.core.check import InputError
from primum.explore.scores import scored
from primum.predictions import Predictions
from primum.severity import SeverityMatrix
from primum.tables.selection import reordered, validation_rows

SEPARATOR = "\x1f"
OPERATING = "msr"  # the score whose threshold says which failures are silent
COLUMNS = (
    "row", "key", "id", "domain", "shift", "shift_level", "label", "predicted", "correct", "critical",
    "silent", "confidence",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Domain:
    """One set of predictions: the i.i.d. test, a corruption at an intensity, another hospital.

    Attributes:
        name: of the domain, unique in a scene: ``test``, ``gaussian_noise 3``, ``chest_xray_nih``.
        predictions: rows with metadata and scores of their own.
        shift: what was shifted, or None. level: intensity 1 to 5, or None.
    """

    name: str
    predictions: Predictions
    shift: str | None = None
    level: int | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """What the explorer shows of one model; nothing in it changes, so that many users may share it.

    Attributes:
        name: of the model.
        classes: the K class names.
        domains: in the order of ``cases``, their predictions in the order of ``classes``.
        cases: (N) one row per point of all domains. ``row`` (0 to N − 1), ``key`` (unique text), ``id``,
            ``domain``, ``shift``, ``shift_level`` (null where there is none), ``label`` (null where unknown),
            ``predicted``, ``correct``, ``critical`` (the failure is a critical one), ``silent`` (a failure
            with ``confidence`` at or above the operating threshold; these three null where the label is
            unknown), ``confidence`` (MSR), ``score_<name>``, ``prob_<class>``, then every further column;
            one with a name of the above stands as ``table_<column>``.
        thresholds: score → operating threshold, at 80 % coverage of the fit rows.
        notes: what a reader must know, one sentence each.
        not_applicable: score → why it is missing.
        severity: costs in the order of ``classes``, or None. critical: (K, K) bool, or None without any.
        images_root: folder that the column ``path`` starts from, or None.
        maps: domain → folder of stored explanation maps.
        train: training rows, for nearest neighbours, or None. fit: rows thresholds were read from, or None.
        run: folder of the run, or None; needed to try an image, and for pictures made in memory.
    """

    name: str
    classes: tuple[str, ...]
    domains: tuple[Domain, ...]
    cases: pl.DataFrame
    thresholds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    severity: SeverityMatrix | None = None
    critical: Bools | None = None
    images_root: Path | None = None
    maps: Mapping[str, Path] = field(default_factory=dict)
    train: Predictions | None = None
    fit: Predictions | None = None
    run: Path | None = None

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the confidence scores, those of the column ``score_<name>``."""
        return tuple(self.thresholds)

    @property
    def metadata_columns(self) -> tuple[str, ...]:
        """Names of the columns that came with the tables, to colour and to filter by."""
        computed = {
            *COLUMNS,
            *(f"score_{name}" for name in self.scores),
            *(f"prob_{name}" for name in self.classes),
        }
        return tuple(column for column in self.cases.columns if column not in computed)

    def row(self, key: str) -> int:
        """Row of a key. Raises InputError for one that is not here."""
        if key not in self._rows:
            raise InputError(f"{self.name}: no case has this key; take one of the column key")
        return self._rows[key]

    def rows(self, keys: Sequence[str]) -> Integers:
        """(n,) rows of keys. Raises InputError for one that is not here."""
        return np.array([self.row(key) for key in keys], dtype=np.int64)

    def share_below(self, score: str, value: float) -> float:
        """Share of the cases, 0 to 1, with a lower value of a score; 0 where no case has the score."""
        values = self.cases[f"score_{score}"].drop_nulls().to_numpy()
        return float(np.mean(values < value)) if len(values) else 0.0

    def of(self, row: int) -> tuple[Domain, int]:
        """Domain of a row of ``cases``, and the row in its predictions."""
        at = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.domains[at], row - int(self.starts[at])

    @cached_property
    def starts(self) -> Integers:
        """First row of each domain in ``cases``."""
        sizes = [len(domain.predictions) for domain in self.domains]
        return np.cumsum([0, *sizes[:-1]], dtype=np.int64)

    @cached_property
    def plain(self) -> int:
        """Number of the first domain that is not shifted, else of the first."""
        return _plain(self.domains)

    @cached_property
    def labels(self) -> Integers:
        """(N,) class index of each case, -1 where unknown."""
        return np.concatenate([domain.predictions.labels for domain in self.domains])

    @cached_property
    def predicted(self) -> Integers:
        """(N,) class index of each answer."""
        return np.concatenate([domain.predictions.predicted for domain in self.domains])

    @cached_property
    def units(self) -> Integers | None:
        """(N,) int, what is independent: the patient, else the image; None where every row is."""
        tables = [domain.predictions for domain in self.domains]
        patients_known = any(table.patients is not None for table in tables)
        if not patients_known and len(tables) == 1:
            return None
        listed = [table.ids if table.patients is None else table.patients for table in tables]
        return codes(pl.concat([unit.rename("unit") for unit in listed]))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.cases["key"].to_list())}


def build_scene(
    name: str,
    domains: Sequence[Domain],
    *,
    fit: Predictions | None = None,
    train: Predictions | None = None,
    severity: SeverityMatrix | None = None,
    critical: Bools | None = None,
    images_root: Path | None = None,
    maps: Mapping[str, Path] | None = None,
    run: Path | None = None,
    cache: Path | None = None,
) -> Scene:
    """Put the domains of one model together.

    Operating thresholds are read from ``fit``; without it from the first domain that is not shifted (else the
    first), which ``notes`` tells.

    Args:
        name: of the model. domains: at least one, each with a name of its own.
        fit, train: further rows of the same model; of ``fit`` the labelled ones count.
        severity: in any order of classes.
        critical: (K, K) bool in the order of classes of the first domain; default that of ``severity``.
        images_root, maps, run: see :class:`Scene`.
        cache: folder that keeps scores that take long, or None.

    Raises:
        InputError: without a domain, for two of one name, or for other class names.

    >>> import numpy as np
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> scene.cases.select("id", "label", "predicted", "correct").rows()
    [('x', 'cat', 'cat', True), ('y', 'dog', 'cat', False), ('z', 'dog', 'dog', True)]
    """
    if not domains:
        raise InputError(f"{name}: at least one table of predictions is needed, none arrived")
    names = [domain.name for domain in domains]
    if len(set(names)) < len(names):
        twice = sorted({repeated for repeated in names if names.count(repeated) > 1})
        raise InputError(f"{name}: domains must differ in name, {check.shorten(twice)} stands more than once")
    classes = domains[0].predictions.classes
    ordered = tuple(replace(domain, predictions=_in_order(domain.predictions, classes)) for domain in domains)
    fit = None if fit is None or not (fit.labels >= 0).any() else _in_order(fit, classes)
    fit = None if fit is None else fit.take(fit.labels >= 0)
    train = None if train is None else _in_order(train, classes)
    matrix = None if severity is None else severity.ordered(classes, name)
    cells = matrix.critical if critical is None and matrix is not None else critical
    cells = None if cells is None or not cells.any() else cells

    read_from, note = _reference(ordered, fit)
    scoring = scored([domain.predictions for domain in ordered], fit, train, read_from, cache)
    frames = [
        _frame(
            domain,
            values,
            score_names=tuple(scoring.thresholds),
            classes=classes,
            critical=cells,
            threshold=scoring.thresholds[OPERATING],
        )
        for domain, values in zip(ordered, scoring.values, strict=True)
    ]
    cases = pl.concat(frames, how="diagonal_relaxed").with_row_index("row")
    order = [column for column in COLUMNS if column in cases.columns]
    cases = cases.select(*order, pl.exclude(order)).with_columns(pl.col("row").cast(pl.Int64))
    return Scene(
        name, classes, ordered, cases, scoring.thresholds, notes=(note,), not_applicable=scoring.missing,
        severity=matrix, critical=cells, images_root=images_root, maps=dict(maps or {}), train=train, fit=fit,
        run=run,
    )  # fmt: skip


def _in_order(table: Predictions, classes: tuple[str, ...]) -> Predictions:
    check.same_classes(table.classes, classes, table.name, "the first table")
    return table if table.classes == classes else reordered(table, classes)


def _plain(domains: Sequence[Domain]) -> int:
    return next((at for at, domain in enumerate(domains) if domain.shift is None), 0)


def _reference(domains: tuple[Domain, ...], fit: Predictions | None) -> tuple[Predictions, str]:
    """The rows thresholds are read from, and which these are, in words."""
    share = f"{OPERATING_COVERAGE:.0%}"
    if fit is not None:
        validation = validation_rows(fit)
        warning = (
            f", {validation:,} of them validation rows that the network was stopped or chosen on"
            if validation
            else ""
        )
        return fit, f"operating thresholds accept {share} of the {len(fit):,} fit rows{warning}"
    plain = domains[_plain(domains)]
    note = (
        f"there are no fit rows: operating thresholds accept {share} of the rows of {plain.name} themselves"
    )
    return plain.predictions, note


def _frame(
    domain: Domain,
    scores: Mapping[str, Floats],
    *,
    score_names: Sequence[str],
    classes: tuple[str, ...],
    critical: Bools | None,
    threshold: float,
) -> pl.DataFrame:
    table = domain.predictions
    names = pl.Series([*classes, None], dtype=pl.String)
    unknown = pl.Series(table.labels < 0)
    wrong = ~table.correct
    # a label of -1 picks the last class here; ``unknown`` covers what comes of it
    fatal = np.zeros(len(table), bool) if critical is None else critical[table.labels, table.predicted]
    confidence = scores[OPERATING]
    columns: dict[str, pl.Series] = {
        "key": domain.name + SEPARATOR + table.ids,
        "id": table.ids,
        "domain": pl.repeat(domain.name, len(table), dtype=pl.String, eager=True),
        "shift": pl.repeat(domain.shift, len(table), dtype=pl.String, eager=True),
        "shift_level": pl.repeat(domain.level, len(table), dtype=pl.Int64, eager=True),
        "label": names[table.labels],
        "predicted": names[table.predicted],
        "correct": pl.Series(~wrong).set(unknown, None),
        "critical": pl.Series(fatal).set(unknown, None),
        "silent": pl.Series(wrong & ties.at_least(confidence, threshold)).set(unknown, None),
        "confidence": pl.Series(confidence),
    }
    columns |= {f"score_{name}": pl.Series(scores[name]) for name in score_names if name in scores}
    columns |= {f"prob_{name}": pl.Series(table.probs[:, k]) for k, name in enumerate(classes)}
    taken = {"row", *columns, *(f"score_{name}" for name in score_names)}
    for column in table.metadata.columns:
        if column not in ("shift", "shift_level"):
            columns[f"table_{column}" if column in taken else column] = table.metadata[column]
    return pl.DataFrame(columns)
