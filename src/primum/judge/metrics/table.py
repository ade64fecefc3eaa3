"""The table of metrics: everything that is said of a metric anywhere, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["rate", "count", "small", "number"]
Direction = Literal["higher", "lower"]
Subject = Literal[
    "answers", "two_class_answers", "probabilities", "confidence", "operating_point", "members", "policy",
    "explanation",
]  # fmt: skip
Need = Literal[
    "ten_cases", "two_classes", "critical_cells", "severity", "fit_rows", "right_and_wrong",
]  # fmt: skip
Place = Literal[
    "key", "key_without_severity", "matched", "groups", "selective", "costs", "calibration", "proper_scores",
    "deferral", "comparison", "notebook", "terminal", "loss_bench", "score_bench", "score_table", "ranked",
    "explorer",
]  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """What is said of one metric wherever it is computed, judged against a limit, or printed.

    Attributes:
        code: stable name in files, limits and ``Audit.finding``.
        name: the same for people.
        better: whether ``"higher"`` or ``"lower"`` values are better.
        of: what it judges: answers (of a decision rule), answers of two classes, probabilities, a confidence
            score, an operating point, several members, a deferral policy, or explanations.
        unit: how its values are written: a rate (per cent), a count, a small number (five digits), a number.
        short: name where a table has many columns; the name where none is stated.
        head: column head of a bench; the short name where none is stated.
        critical: whether it counts critical errors, which reports draw in their own colour.
        needs: what the judged rows and the settings must hold, else it is not applicable.
        places: where it is printed, each with its rank there (in tens, so that a new metric fits between);
            :func:`codes` gives the codes of a place in order. What no place names stands in the list of all
            findings alone.
    """

    code: str
    name: str
    better: Direction
    of: Subject
    unit: Unit = "number"
    short: str = ""
    head: str = ""
    critical: bool = False
    needs: tuple[Need, ...] = ()
    places: Mapping[Place, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "short", self.short or self.name)
        object.__setattr__(self, "head", self.head or self.short)


METRICS: Mapping[str, Metric] = {
    metric.code: metric
    for metric in (
        Metric(
            "accuracy", "Accuracy", "higher", of="answers", unit="rate",
            places={"key": 50, "key_without_severity": 10, "groups": 40, "comparison": 110, "terminal": 80},
        ),
        Metric(
            "balanced_accuracy", "Balanced accuracy", "higher", of="answers", unit="rate",
            head="balanced acc.", needs=("ten_cases", "two_classes"),
            places={
                "key": 30, "key_without_severity": 20, "groups": 30, "comparison": 100, "notebook": 50,
                "terminal": 60, "loss_bench": 30,
            },
        ),
        Metric(
            "macro_f1", "Macro F1", "higher", of="answers", head="macro F1",
            needs=("ten_cases", "two_classes"),
            places={
                "key": 40, "key_without_severity": 30, "comparison": 120, "terminal": 70, "loss_bench": 40,
            },
        ),
        Metric(
            "auroc", "AUROC, one-vs-rest macro", "higher", of="probabilities", short="AUROC",
            needs=("ten_cases", "two_classes"),
            places={"key_without_severity": 40, "comparison": 130, "notebook": 90, "terminal": 140},
        ),
        Metric(
            "cer", "Critical error rate", "lower", of="answers", unit="rate", head="CER", critical=True,
            needs=("critical_cells",),
            places={
                "key": 10, "groups": 10, "costs": 30, "comparison": 10, "notebook": 20, "terminal": 20,
                "loss_bench": 10,
            },
        ),
        Metric(
            "critical_errors", "Critical errors", "lower", of="answers", unit="count", critical=True,
            needs=("critical_cells",), places={"notebook": 10, "terminal": 10},
        ),
        Metric(
            "specificity", "Specificity", "higher", of="answers", unit="rate", head="specificity",
            needs=("critical_cells",),
            places={
                "key": 20, "groups": 20, "costs": 40, "comparison": 90, "notebook": 40, "terminal": 40,
                "loss_bench": 20,
            },
        ),
        Metric(
            "cer_at_specificity_70", "Critical error rate at 70 % specificity", "lower",
            of="operating_point", unit="rate", critical=True, needs=("ten_cases", "critical_cells"),
            places={"matched": 10},
        ),
        Metric(
            "cer_at_specificity_80", "Critical error rate at 80 % specificity", "lower",
            of="operating_point", unit="rate", critical=True, needs=("ten_cases", "critical_cells"),
            places={"matched": 30, "comparison": 20, "terminal": 50},
        ),
        Metric(
            "cer_at_specificity_90", "Critical error rate at 90 % specificity", "lower",
            of="operating_point", unit="rate", critical=True, needs=("ten_cases", "critical_cells"),
            places={"matched": 50},
        ),
        Metric(
            "specificity_reached_70", "Specificity reached, fitted to 70 %", "higher", of="operating_point",
            unit="rate", needs=("critical_cells", "fit_rows"), places={"matched": 20},
        ),
        Metric(
            "specificity_reached_80", "Specificity reached, fitted to 80 %", "higher", of="operating_point",
            unit="rate", needs=("critical_cells", "fit_rows"), places={"matched": 40},
        ),
        Metric(
            "specificity_reached_90", "Specificity reached, fitted to 90 %", "higher", of="operating_point",
            unit="rate", needs=("critical_cells", "fit_rows"), places={"matched": 60},
        ),
        Metric(
            "expected_cost", "Expected cost", "lower", of="answers", head="expected cost",
            needs=("ten_cases", "severity"),
            places={
                "groups": 50, "costs": 10, "comparison": 40, "notebook": 60, "terminal": 90, "loss_bench":
                50,
            },
        ),
        Metric(
            "normalized_expected_cost", "Normalised expected cost", "lower", of="answers",
            short="Normalised cost", needs=("ten_cases", "severity"), places={"costs": 20, "terminal": 100},
        ),
        Metric(
            "ece", "Calibration error (ECE, equal width)", "lower", of="probabilities",
            short="Calibration error (ECE)", needs=("ten_cases",),
            places={"groups": 60, "calibration": 10, "comparison": 50, "notebook": 100, "terminal": 150},
        ),
        Metric(
            "ece_equal_mass", "Calibration error (ECE, equal mass)", "lower", of="probabilities",
            short="ECE, equal-mass bins", needs=("ten_cases",), places={"calibration": 20},
        ),
        Metric(
            "classwise_ece", "Class-wise calibration error", "lower", of="probabilities",
            short="Class-wise ECE", needs=("ten_cases",), places={"calibration": 30},
        ),
        Metric(
            "debiased_calibration_error", "Debiased squared calibration error", "lower", of="probabilities",
            unit="small", short="Debiased squared error", needs=("ten_cases",), places={"calibration": 40},
        ),
        Metric(
            "skce", "Kernel calibration error (SKCE)", "lower", of="probabilities", unit="small",
            short="Kernel error (SKCE)", needs=("ten_cases",), places={"calibration": 50},
        ),
        Metric(
            "brier", "Brier score", "lower", of="probabilities", needs=("ten_cases",),
            places={"proper_scores": 20},
        ),
        Metric(
            "root_brier", "Root Brier score", "lower", of="probabilities", needs=("ten_cases",),
            places={"proper_scores": 30},
        ),
        Metric(
            "nll", "Negative log-likelihood", "lower", of="probabilities", needs=("ten_cases",),
            places={"proper_scores": 10, "comparison": 60, "terminal": 160},
        ),
        Metric(
            "aurc", "AURC", "lower", of="confidence", needs=("ten_cases",),
            places={
                "selective": 10, "comparison": 70, "notebook": 70, "terminal": 110, "score_bench": 10,
                "score_table": 10, "ranked": 10,
            },
        ),
        Metric(
            "augrc", "AUGRC", "lower", of="confidence", needs=("ten_cases",),
            places={"selective": 20, "score_bench": 20, "score_table": 20},
        ),
        Metric(
            "e_aurc", "Excess AURC over the best ranking", "lower", of="confidence", short="Excess AURC",
            needs=("ten_cases",), places={"selective": 90},
        ),
        Metric(
            "e_augrc", "Excess AUGRC over the best ranking", "lower", of="confidence", short="Excess AUGRC",
            needs=("ten_cases",), places={"selective": 100},
        ),
        Metric(
            "cost_aurc", "Severity-weighted AURC", "lower", of="confidence", short="Cost AURC",
            head="cost AURC", needs=("ten_cases", "severity"),
            places={
                "selective": 70, "comparison": 80, "terminal": 120, "score_bench": 30, "score_table": 30,
                "ranked": 30,
            },
        ),
        Metric(
            "cost_augrc", "Severity-weighted AUGRC", "lower", of="confidence", short="Cost AUGRC",
            head="cost AUGRC", needs=("ten_cases", "severity"),
            places={"selective": 80, "score_bench": 40},
        ),
        Metric(
            "failure_auroc", "Failure AUROC", "higher", of="confidence", head="failure AUROC",
            needs=("ten_cases", "right_and_wrong"),
            places={
                "selective": 30, "comparison": 140, "notebook": 80, "terminal": 130, "score_bench": 50,
                "score_table": 40, "ranked": 20,
            },
        ),
        Metric(
            "fpr_at_95_tpr", "Errors accepted where 95 % of right answers are", "lower", of="confidence",
            unit="rate", short="Errors accepted with 95 % of right answers", head="FPR at 95 % TPR",
            needs=("ten_cases", "right_and_wrong"),
            places={
                "selective": 60, "score_bench": 60, "score_table": 50,
            },
        ),
        Metric(
            "risk_at_80_coverage", "Risk at 80 % coverage", "lower", of="confidence", unit="rate",
            short="Share wrong at 80 % coverage", head="risk at 80 % coverage", needs=("ten_cases",),
            places={"selective": 50, "score_bench": 70, "score_table": 60},
        ),
        Metric(
            "silent_critical_rate", "Silent critical rate", "lower", of="confidence", unit="rate",
            short="Silent critical errors", critical=True, needs=("critical_cells",),
            places={"selective": 40, "comparison": 30, "notebook": 30, "terminal": 30},
        ),
        Metric(
            "instability_auroc_gain", "Gain in failure AUROC by the instability of explanations", "higher",
            of="explanation", short="Gain by instability of explanations", needs=("ten_cases",),
        ),
        Metric(
            "ppv", "Positive predictive value", "higher", of="two_class_answers", unit="rate",
            needs=("two_classes", "critical_cells"), places={"costs": 60},
        ),
        Metric(
            "npv", "Negative predictive value", "higher", of="two_class_answers", unit="rate",
            needs=("two_classes", "critical_cells"), places={"costs": 70},
        ),
        Metric(
            "net_benefit", "Net benefit", "higher", of="two_class_answers",
            needs=("ten_cases", "two_classes", "critical_cells", "severity"), places={"costs": 50},
        ),
        Metric(
            "members_all_wrong", "Cases that every member has wrong", "lower", of="members", unit="rate",
            short="Every member wrong",
        ),
        Metric(
            "oracle_accuracy", "Accuracy if the best member were picked for every case", "higher",
            of="members", unit="rate", short="At least one member right",
        ),
        Metric(
            "deferred_share", "Share deferred", "lower", of="policy", unit="rate",
            places={"deferral": 10, "explorer": 10},
        ),
        Metric(
            "vetoed_share", "Share vetoed as unfamiliar", "lower", of="policy", unit="rate",
            short="Share vetoed", places={"deferral": 15},
        ),
        Metric(
            "accepted_cer", "Critical error rate among accepted critical cases", "lower", of="policy",
            unit="rate", short="Critical error rate, accepted critical cases", needs=("critical_cells",),
            places={"deferral": 20, "explorer": 20},
        ),
        Metric(
            "cer_after_deferral", "Critical error rate after deferral", "lower", of="policy", unit="rate",
            short="Critical error rate, deferred ones safe", needs=("critical_cells",),
            places={"deferral": 40, "explorer": 30},
        ),
        Metric(
            "critical_coverage", "Critical cases accepted", "higher", of="policy", unit="rate",
            needs=("critical_cells",), places={"deferral": 30, "explorer": 40},
        ),
        Metric(
            "failure_cost", "Failure cost, reader free of cost", "lower", of="policy",
            short="Failure cost, free reader", needs=("ten_cases", "severity"), places={"explorer": 50},
        ),
        Metric(
            "failure_cost_ratio", "Failure cost against no deferral, reader free of cost", "lower",
            of="policy", unit="rate", short="Failure cost against no deferral, free reader",
            needs=("ten_cases", "severity"), places={"deferral": 50},
        ),
        Metric(
            "failure_cost_with_reader", "Failure cost with the stated reader", "lower", of="policy",
            short="Failure cost, stated reader", needs=("ten_cases", "severity"), places={"explorer": 60},
        ),
        Metric(
            "failure_cost_ratio_with_reader", "Failure cost against no deferral, with the stated reader",
            "lower", of="policy", unit="rate", short="Failure cost against no deferral, stated reader",
            needs=("ten_cases", "severity"), places={"deferral": 60},
        ),
    )
}  # fmt: skip


def codes(place: Place) -> tuple[str, ...]:
    """Codes of the metrics that a place prints, in its order.

    >>> codes("ranked")
    ('aurc', 'failure_auroc', 'cost_aurc')
    """
    printed = [metric for metric in METRICS.values() if place in metric.places]
    return tuple(metric.code for metric in sorted(printed, key=lambda metric: metric.places[place]))


def codes_of(subject: Subject) -> tuple[str, ...]:
    """Codes of the metrics that judge one kind of thing, in the order of the table.

    >>> codes_of("two_class_answers")
    ('ppv', 'npv', 'net_benefit')
    """
    return tuple(metric.code for metric in METRICS.values() if metric.of == subject)
