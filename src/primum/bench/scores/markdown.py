"""The tables of a bench of scores as Markdown."""

from __future__ import annotations

from primum.bench.markdown import escaped, noted_lines, table_lines
from primum.judge.metrics.table import codes
from primum.report import cells, score_tables, words
from primum.report.cells import Entry


def compose(content: Entry) -> str:
    """Tables of every data set and network of ``primum.bench_scores/1`` content."""
    content = escaped(content)
    lines = [f"# {content['name']}", ""]
    for setting in content["settings"]:
        lines += [f"## {setting['data']}, {setting['network']}", "", facts(setting, content), ""]
        for part in (
            _ranks(setting),
            _unshifted(setting),
            noted_lines(score_tables.by_shift(setting)),
            noted_lines(score_tables.silent(setting)),
            noted_lines(score_tables.confident(setting)),
            noted_lines(score_tables.against(setting)),
            _missing(setting),
        ):
            lines += [*part, ""]
    lines.append(
        f"{cells.machine(content)} over patients. "
        "Every figure of every shift and seed: findings.parquet; every silent failure: silent.parquet."
    )
    return "\n".join(lines) + "\n"


def facts(setting: Entry, content: Entry) -> str:
    """What a setting stands on, in sentences."""
    return (
        f"{words.opening(score_tables.facts(setting, content['passes']))}. Means over "
        "seeds. AURC depends on the base rate of errors, so scores are ranked within a shift and AURC is "
        "never averaged over shifts. Scores over passes speak of the answers of the mean softmax, those of "
        "Deep Gamblers of another network's answers: mind the accuracy. Operating thresholds accept "
        f"{100 * content['coverage']:.0f} % of the calibration rows."
    )


def _ranks(setting: Entry) -> list[str]:
    table = score_tables.mean_ranks(setting)
    return noted_lines(table) if table.rows else ["No scores could be ranked."]


def _unshifted(setting: Entry) -> list[str]:
    """Every metric of every score on the i.i.d. test rows."""
    shift, reference = score_tables.unshifted(setting), setting["reference"]
    note = (
        f"i.i.d. test rows: {score_tables.counted(shift)}. Difference in AURC to {reference}, paired over "
        "patients."
    )
    return [note, "", *table_lines(score_tables.every_metric(shift, reference, codes("score_table")))]


def _missing(setting: Entry) -> list[str]:
    lines = [f"- {line}" for line in score_tables.missing(setting)]
    return ["Scores that do not apply:", "", *lines] if lines else ["Every score applies."]
