"""The checklist: what fills an item, what does not, and that nothing is claimed beyond what is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import primum
from primum.auditing.checklist.fact_table import FACTS
from primum.auditing.checklist.items import items
from primum.auditing.study import Study
from primum.judge.statistics.partitions import partition
from primum.tables import read
from primum.tables.selection import select
from tests.auditing.sections.written import entries
from tests.conftest import made_table
from tests.places import DOCS

WANTED = {
    "TRIPOD+AI": [
        "3b", "5a", "5b", "6a", "6b", "7", "10", "12a", "12d", "12e", "12f", "13", "14", "15", "16", "18b",
        "20a", "20b", "20c", "21", "23a", "23b", "27a",
    ],
    "CLAIM 2024": ["14", "16", "20", "27", "29", "30", "31", "33", "36", "37", "39", "41", "43", "44"],
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "n": 100, "patients": 80, "fit_rows": 40, "unlabelled": 3, "other_rows": {"train": 500, "cal": 40},
    "shared_patients": {"train": 0, "cal": 0}, "classes": ["a", "b"], "by": ["sex", "site"], "level": 0.95,
    "bootstrap": 1000, "recalibrator": "vector", "recalibration": {"none": {}, "vector": {}},
    "thresholds": {"argmax": {}, "bayes": {}}, "operating_coverage": 0.8, "severity": {"source": "a panel"},
    "source": {"loss": {"name": "focal"}, "data": "there", "trained_on": {"data": "here"}},
    "partitions": {
        "test": {
            "n": 100, "patients": 80, "classes": {"a": 60, "b": 40},
            "characteristics": [
                {"column": "age", "kind": "people", "missing": 2, "median": 50.0, "low": 40.0, "high": 61.5},
                {"column": "site", "kind": "place", "missing": 0, "values": {"X": 99, "Y": 1}, "others": 0},
            ],
        },
        "fit": {"n": 40, "patients": 30, "classes": {"a": 20, "b": 20}, "characteristics": []},
    },
}  # fmt: skip
GROUPS = ("all", "sex=f", "sex=m", "site=X", "site=Y")
FINDINGS = [
    {"code": "accuracy", "name": "Accuracy", "value": 0.9, "low": 0.8, "high": 0.95, "group": group,
     "decision": "argmax", "verdict": "not_judged", "why": ""}
    for group in GROUPS
]  # fmt: skip
EVERYTHING = {key: "yes" if key == "external_test" else f"the words on {key}" for key in Study.model_fields}


def filled(
    settings: dict[str, Any] | None = None,
    findings: list[dict[str, Any]] | None = None,
    about: dict[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Item → its entry; the second entry of an item number has a prime."""
    named: dict[str, dict[str, Any]] = {}
    for entry in entries(settings or {}, findings or [], None if about is None else Study.parse(about)):
        key = f"{entry['source'].split('+')[0].split()[0]} {entry['item']}"
        named[f"{key}'" if key in named else key] = entry
    return named


def test_every_item_asked_for_is_there() -> None:
    for source, numbers in WANTED.items():
        assert list(dict.fromkeys(one.item for one in items() if one.source == source)) == numbers


def test_items_name_fields_and_facts_that_exist() -> None:
    used = {part.about for item in items() for part in item.parts} - {""}
    assert used == set(Study.model_fields)
    assert {part.fact for item in items() for part in item.parts} - {""} == set(FACTS)
    for item in items():
        for part in item.parts:
            assert part.about or part.fact
            assert part.about or part.supply or part.extra or item.only_if_known or _always(part.fact)


def _always(name: str) -> bool:
    """Facts that every audit knows need no advice how to supply them."""
    return name in {"cases", "uses", "measures", "output", "flow", "classes", "intervals", "uncertainty",
                    "confusions", "left_out", "loss", "training_and_judged"}  # fmt: skip


def test_of_nothing_nothing_is_claimed() -> None:
    for entry in filled().values():
        assert entry["status"] == "not_reported"
        assert entry["said"] == entry["where"] == []
    assert "CLAIM 27" not in filled()


def test_status_follows_from_the_parts() -> None:
    for entry in filled(SETTINGS, FINDINGS, EVERYTHING).values():
        assert len(entry["said"]) == len(entry["where"])
        assert (entry["status"] == "reported") == (entry["how_to_supply"] == "")
        assert (entry["status"] == "not_reported") == (entry["said"] == [])


def test_what_the_audit_alone_can_answer() -> None:
    status = {name: one["status"] for name, one in filled(SETTINGS, FINDINGS).items()}
    assert {name for name, one in status.items() if one == "reported"} == {
        "TRIPOD 12a", "TRIPOD 12d", "TRIPOD 12e", "TRIPOD 12f", "TRIPOD 15", "TRIPOD 20a",
        "TRIPOD 23a", "TRIPOD 23b", "CLAIM 20", "CLAIM 29", "CLAIM 37",
    }  # fmt: skip
    assert {name for name, one in status.items() if one == "partly"} == {
        "TRIPOD 5a", "TRIPOD 6a", "TRIPOD 10", "TRIPOD 13", "TRIPOD 14", "TRIPOD 16", "TRIPOD 20b",
        "TRIPOD 20c", "TRIPOD 21", "CLAIM 36", "CLAIM 39",
    }  # fmt: skip


def test_what_authors_alone_can_answer() -> None:
    found = filled(about=EVERYTHING)
    assert found["TRIPOD 3b"]["said"] == ["the words on intended_use", "the words on intended_users"]
    assert set(found["TRIPOD 3b"]["where"]) == {"about.yaml"}
    for name in ("3b", "5a", "5b", "6a", "6b", "7", "13", "14", "16", "18b", "20b", "20c", "27a"):
        assert found[f"TRIPOD {name}"]["status"] == "reported", name
    for name in ("12e", "15", "23a"):
        assert found[f"TRIPOD {name}"]["status"] == "not_reported", name
    assert found["CLAIM 31"]["status"] == found["CLAIM 31'"]["status"] == "not_reported"


def test_what_is_missing_is_said_with_how_to_supply_it() -> None:
    found = filled(SETTINGS | {"partitions": {}, "by": []}, FINDINGS[:1], {"intended_use": "reading"})
    assert found["TRIPOD 3b"]["how_to_supply"] == "intended_users in about.yaml"
    assert found["TRIPOD 12d"]["how_to_supply"] == "--by site"
    assert found["TRIPOD 20b"]["how_to_supply"] == (
        "demographics in about.yaml or columns age and sex in the table; "
        "setting in about.yaml or a column site in the table; dates in about.yaml"
    )
    assert filled()["TRIPOD 7"]["how_to_supply"] == "preparation in about.yaml"
    whole = "demographics in about.yaml; in part: columns age and sex in the table"
    assert filled()["CLAIM 36"]["how_to_supply"] == whole


def test_external_test_yes_no_and_silence() -> None:
    assert filled(about={})["CLAIM 33"]["status"] == "not_reported"
    no = filled(about={"external_test": "no"})["CLAIM 33"]
    assert (no["status"], "no external test" in no["said"][0]) == ("reported", True)
    yes = filled(about={"external_test": "yes"})["CLAIM 33"]
    assert (yes["status"], yes["how_to_supply"]) == ("partly", "source_of_data in about.yaml")
    more = filled(about={"external_test": "yes", "source_of_data": "S", "prior_validation": "P"})["CLAIM 33"]
    assert more["status"] == "reported"
    assert more["said"][1:] == ["S", "P"]


def test_patients_apart_is_said_only_where_it_was_checked() -> None:
    said = filled(SETTINGS)["CLAIM 20"]["said"]
    assert said[0].startswith("Fit and judged rows share no patient")
    assert said[1].startswith("No judged case is of a patient in the train rows")
    shared = filled(SETTINGS | {"shared_patients": {"train": 7}})["CLAIM 20"]["said"]
    assert shared[1] == "7 judged cases are of patients in the train rows."
    unknown = filled(SETTINGS | {"shared_patients": {"cal": 0}})["CLAIM 20"]
    assert unknown["status"] == "partly"
    without = {key: value for key, value in SETTINGS.items() if key != "shared_patients"} | {"patients": None}
    assert filled(without)["CLAIM 20"]["said"] == []


def test_facts_by_hand() -> None:
    found = filled(SETTINGS, FINDINGS)
    assert found["TRIPOD 20a"]["said"] == [
        "Of 643 rows of the table: 100 judged, 3 left out for want of a label, 500 marked train, "
        "40 marked cal.",
        "Judged: a 60, b 40; fitted on: a 20, b 20.",
    ]
    assert found["CLAIM 36"]["said"] == ["Judged: age median 50 (quartiles 40 to 61.5), missing in 2."]
    assert found["TRIPOD 6a"]["said"] == ["Judged: site X 99, Y 1."]
    assert found["TRIPOD 12d"]["said"] == [
        "Measured separately by site (2 groups), every measure with its interval."
    ]
    assert found["TRIPOD 16"]["said"] == [
        "The table says the network was trained on here and judged on there."
    ]
    assert "focal" in found["TRIPOD 13"]["said"][0]
    assert "over patients" in found["CLAIM 29"]["said"][0]
    assert "not known" in filled(SETTINGS | {"patients": None})["CLAIM 29"]["said"][0]
    assert found["TRIPOD 23a"]["said"][0] == "1 of 1 numbers over all cases have an interval."


@pytest.mark.parametrize(
    ("column", "counts"), [("sex", True), ("Age_group", True), ("passage", False), ("usage", False)]
)
def test_groups_of_people_are_known_by_the_name_of_the_column(column: str, counts: bool) -> None:
    groups = [one | {"group": one["group"].replace("sex", column)} for one in FINDINGS]
    said = filled(SETTINGS | {"by": [column]}, groups)["TRIPOD 14"]["said"]
    assert bool(said) == counts


def test_shifts_between_fit_and_judged_rows_are_told_from_the_warnings() -> None:
    calm = filled(SETTINGS, FINDINGS)["TRIPOD 20c"]["said"][0]
    assert calm.startswith("No difference beyond chance")
    warned = [*FINDINGS, {"code": "prevalence_shift", "verdict": "warning", "group": "all", "why": ""}]
    said = filled(SETTINGS, warned)["TRIPOD 20c"]["said"][0]
    assert said.startswith("Fit and judged rows differ beyond chance in class shares.")
    assert "training cases were not compared" in said
    assert filled(SETTINGS | {"fit_rows": None}, FINDINGS)["TRIPOD 20c"]["said"] == []


def test_parts_of_the_audit_made_on_demand_speak_for_themselves() -> None:
    later = {
        "explanations": {
            "said": "Grad-CAM of the last block.",
            "tested": "Held against an untrained network.",
        },
        "members": {"said": "Mean of three networks."},
        "failures": {"said": "63 failures, 12 undetermined."},
        "robustness": {"said": "Five corruptions."},
        "deferral": {"said": "18 % of the cases go to a reader."},
    }
    found = filled(SETTINGS | later, FINDINGS)
    assert found["CLAIM 31"]["said"] == ["Grad-CAM of the last block."]
    assert found["CLAIM 31'"]["said"] == ["Held against an untrained network."]
    assert found["CLAIM 27"]["status"] == "reported"
    for name in ("CLAIM 30", "CLAIM 39"):
        assert found[name]["status"] == "reported"
    assert "18 % of the cases go to a reader." in found["CLAIM 41"]["said"]
    untested = filled(SETTINGS | {"explanations": {"said": "Grad-CAM."}}, FINDINGS)
    assert untested["CLAIM 31'"]["status"] == "not_reported"
    assert filled(SETTINGS | {"explanations": None, "failures": {}}, FINDINGS)["CLAIM 31"]["said"] == []


def test_a_whole_audit_fills_it_and_it_is_plain_json() -> None:
    frame = made_table(400).with_columns(sex=np.array(["f", "m"])[np.arange(400) // 2 % 2])
    audited = primum.audit(frame, severity="phantom", by=["site", "sex"], bootstrap=100)
    rows = select(read(frame))
    assert rows.fit is not None
    parts = {"test": rows.test, "fit": rows.fit}
    told = {
        name: partition(one.labels, one.classes, one.metadata, one.patients) for name, one in parts.items()
    }
    settings = dict(audited.settings) | rows.counts | {"partitions": told}
    found = entries(settings, audited.findings)
    assert json.loads(json.dumps(found)) == found
    status = {f"{one['source']} {one['item']}": one["status"] for one in found}
    for item in ("12d", "12e", "12f", "15", "20a", "23a", "23b"):
        assert status[f"TRIPOD+AI {item}"] == "reported", item
    assert status["TRIPOD+AI 3b"] == "not_reported"
    assert status["CLAIM 2024 20"] == "partly"  # the table has no train rows


def test_the_document_names_every_item() -> None:
    said = (DOCS / "checklist.md").read_text()
    for numbers in WANTED.values():
        for number in numbers:
            assert number.replace("20b", "20a–c").replace("20c", "20a–c") in said
