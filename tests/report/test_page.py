"""The page: what it says, that it stands alone, and that no user's text gets out of its place."""

from __future__ import annotations

import base64
import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from primum import audit as judged
from primum.core.check import InputError
from primum.report.page import render
from primum.report.tables import confident_misses
from tests.data.imaging.named import SECRET, named
from tests.report.example_audit import audit, comparison

HOSTILE = "<b>&\"'</script><img src=x onerror=alert(1)>{{7*7}}"
PIXEL = bytes.fromhex(  # a PNG of one grey pixel
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a494441"
    "54789c636800000082008177cd72b60000000049454e44ae426082"
)


class Reader(HTMLParser):
    """Collects tags with their attributes, the visible text, and the data scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""
        if ("type", "application/json") in attrs:
            self.data.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text += data
        elif self.tags[-1][1].get("type") == "application/json":
            self.data[-1] += data


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", Reader(page).text.replace("\N{NO-BREAK SPACE}", " "))


def ids(reader: Reader) -> list[str]:
    return [str(attrs["id"]) for _, attrs in reader.tags if "id" in attrs]


PAGES: dict[str, Any] = {
    "seven": lambda: audit(),
    "two": lambda: audit(["NORMAL", "PNEUMONIA"], {"PNEUMONIA"}, n=624),
    "sixty": lambda: audit([f"class {k}" for k in range(60)], {"class 1", "class 2"}, n=3000),
    "none": lambda: audit(severity=False),
    "hostile": lambda: audit([HOSTILE, "OK", HOSTILE + "2"], {HOSTILE}, n=300, name=HOSTILE),
    "comparison": comparison,
    "bare": lambda: {"schema": "primum.audit/1", "settings": {}, "findings": [], "curves": {}, "cases": []},
}


@pytest.mark.parametrize("name", PAGES)
def test_page_loads_nothing_from_outside(name: str) -> None:
    reader = Reader(render(PAGES[name]()))
    for tag, attrs in reader.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for key in ("src", "href", "srcset", "data"):
            value = attrs.get(key)
            assert value is None or value.startswith(("#", "data:image/")), (tag, key, value)
    assert "@import" not in render(PAGES[name]()).split("</style>")[0]


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_links_lead_somewhere_and_data_is_json(name: str) -> None:
    reader = Reader(render(PAGES[name]()))
    found = ids(reader)
    assert len(found) == len(set(found))
    assert {attrs["href"][1:] for tag, attrs in reader.tags if tag == "a" and attrs["href"]} <= set(found)
    plots = [attrs for _, attrs in reader.tags if attrs.get("class") == "plot"]
    assert all(attrs["aria-label"] for attrs in plots)
    assert len(reader.data) == len(plots)
    for text in reader.data:
        assert set(json.loads(text)) == {"data", "layout"}


def test_same_audit_gives_the_same_page() -> None:
    assert render(audit()) == render(audit())
    given = audit()
    kept = copy.deepcopy(given)
    render(given)
    assert given == kept, "rendering leaves the audit as it was"


def test_first_sentence_counts_the_missed() -> None:
    given = audit()
    for one in given["findings"]:
        if (one["group"], one["decision"]) == ("all", "argmax"):
            if one["code"] == "critical_errors":
                one.update(value=7, n=390)
            if one["code"] == "cer":
                one.update(value=7 / 390, low=0.0072, high=0.0366, n=390)
    said = words_of(render(given))
    assert (
        "Of 390 cases with a critical class, the model called 7 harmless: 1.8 % (95 % interval 0.7–3.7 %)."
    ) in said
    assert "7 of 390 missed" in said
    table = said[said.index("Decision rule") :]
    assert table.index("Critical error rate") < table.index("Specificity") < table.index("Balanced accuracy")


def test_without_severity_the_reason_is_said_calmly() -> None:
    said = words_of(render(audit(severity=False)))
    assert "Critical errors were not counted: no severity was given" in said
    assert "Not computed. Silent critical errors: no severity was given" in said
    assert "harmless" not in said


def test_hostile_names_stay_text() -> None:
    calm = Reader(render(audit(["A", "OK", "C"], {"A"}, n=300, name="x")))
    page = render(PAGES["hostile"]())
    reader = Reader(page)
    assert [tag for tag, _ in reader.tags] == [tag for tag, _ in calm.tags]
    assert HOSTILE not in page
    assert HOSTILE in reader.text
    assert "49" not in reader.text.split("Critical error:")[1][:80]


def test_hostile_scores_groups_and_reasons_stay_text() -> None:
    given = audit()
    for one in given["findings"]:
        one.update(why=HOSTILE, name=HOSTILE, group=one["group"].replace("Vienna", HOSTILE))
        one["score"] = HOSTILE if one["score"] == "pe" else one["score"]
    for curve in given["curves"]["risk_coverage"]:
        curve["score"] = HOSTILE if curve["score"] == "pe" else curve["score"]
    given["settings"].update(
        not_supplied=[HOSTILE], source={HOSTILE: HOSTILE}, limits={"cer": {HOSTILE: 0.1}}
    )
    given["settings"]["severity"]["unit"] = HOSTILE
    given["cases"][0].update(id=HOSTILE, path=HOSTILE, patient=HOSTILE)
    reader = Reader(render(given))
    assert not [attrs for _, attrs in reader.tags if "onerror" in attrs]
    shown = " ".join(json.dumps(json.loads(text)) for text in reader.data)
    assert "<img" not in shown


def test_many_classes_show_a_part_and_say_so() -> None:
    said = words_of(render(PAGES["sixty"]()))
    assert "20 of 60 classes, those of the largest critical and other confusions" in said
    assert "other classes" in said


def test_ten_pictures_are_embedded_and_none_from_outside(tmp_path: Path) -> None:
    given, folder = audit(), tmp_path / "images"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(PIXEL)
    misses = confident_misses(given["cases"], 12)
    for case in misses:
        (folder / str(case["path"])).write_bytes(PIXEL)
    page = render(given, folder)
    assert page.count('<img src="data:image/png;base64,') == 10
    assert str(tmp_path) not in page
    misses[0]["path"], misses[1]["path"] = "../secret.png", str(tmp_path / "secret.png")
    page = render(given, folder)
    assert page.count('<img src="data:image/png;base64,') == 8
    assert page.count("no picture") == 2
    assert str(tmp_path) not in page


def test_no_name_in_a_picture_is_in_the_page(tmp_path: Path) -> None:
    given = audit()
    misses = confident_misses(given["cases"], 12)
    for case, kind in zip(misses, ("JPEG", "PNG", "TIFF", "WEBP", "GIF"), strict=False):
        assert SECRET.encode() in named(tmp_path / str(case["path"]), kind).read_bytes()
    page = render(given, tmp_path)
    embedded = re.findall(r'<img src="data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)', page)
    assert len(embedded) == 5
    for content in (page.encode(), *map(base64.b64decode, embedded)):
        assert SECRET.encode() not in content


def test_no_machine_path_is_shown() -> None:
    given = audit(name="/home/someone/secret place/table.parquet")
    given["settings"].update(fit="C:\\data\\fit.csv", source={"checkpoint": "/srv/run/last.ckpt"})
    page = render(given)
    assert "secret place" not in page
    assert "/srv/run" not in page
    assert "C:\\" not in page
    assert "last.ckpt" in page


def test_comparison_says_direction_and_shows_both() -> None:
    page = render(comparison())
    said = words_of(page)
    assert "The second model's critical error rate is" in said
    assert "lower" in said
    assert "left of the line, the second model is better" in said
    assert said.index("First ce.parquet") < said.index("Second risk.parquet")
    assert page.count("Plotly.newPlot(box") == 1, "the drawing library and its script stand once"


def test_unknown_schema_is_refused() -> None:
    with pytest.raises(InputError, match=r"primum\.audit/1"):
        render({"schema": "primum.audit/9"})


def test_a_real_audit_renders(table: pl.DataFrame) -> None:
    made = judged(table, critical=["melanoma:naevus"], by=["site"], bootstrap=100)
    said = words_of(render(made.to_dict()))
    assert "Critical error: melanoma called naevus." in said
    assert "By site" in said


def test_critical_errors_are_shown_at_the_same_specificity(table: pl.DataFrame) -> None:
    made = judged(table, severity="phantom", bootstrap=100).to_dict()
    said = words_of(render(made))
    shown = said[said.index("At the same specificity") : said.index("Does it stay within the limits")]
    best = made["settings"]["recalibrator"]
    rows = (
        "Threshold read on these rows, as supplied",
        f"Threshold from the fit rows, recalibrated ({best})",
    )
    assert all(row in shown for row in rows)
    for decided in (None, "operating"):
        (found,) = [
            f["value"] for f in made["findings"]
            if (f["code"], f["decision"], f["calibrated"]) == ("cer_at_specificity_80", decided, best)
        ]  # fmt: skip
        assert f"{100 * found:.1f} %" in shown
    assert "for 80.0 % specificity" in said
    plain = words_of(render(judged(table, bootstrap=100).to_dict()))
    assert "At the same specificity" not in plain
