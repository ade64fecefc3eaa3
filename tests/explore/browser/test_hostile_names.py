"""Names that are markup, in every field and on every page: they are shown as they are, and none is run."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from selenium.webdriver.common.by import By

import primum
from primum.report import copies, page
from tests.explore.browser import looking
from tests.explore.browser.conftest import Explorer
from tests.explore.browser.looking import find, text, until
from tests.report import test_benching, test_score_benching

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

IMAGE = "<img src=x onerror=window.__hit=1>"
SCRIPT = "</script><script>window.__hit=1</script>"
CLOSING = "</title></style></textarea><!--<svg onload=window.__hit=1>"
LINK = '<a href="javascript:window.__hit=1">a</a>'
QUOTE = "\"'` onmouseover=window.__hit=1 x="
ENTITY = "&lt;img src=x onerror=window.__hit=1&gt;"
CLASSES = (f"nv{IMAGE}", f"mel{SCRIPT}", f"bkl{LINK}{ENTITY}")
SITES = (f"north{IMAGE}{QUOTE}", f"south{ENTITY}{CLOSING}")
SCORE = f"doubt{IMAGE}"
COLUMN = f"lens{SCRIPT}"
FILE = f"e&lt;&#47;title&gt;{ENTITY}<img src=x onerror=window.__hit=1>{{%config%}}".replace("/", "&#47;")
MODELS = (f"title>{IMAGE}{{%config%}}", f"x<{ENTITY}")
# elements that a name alone could have made, scripts that ran, and links inside figures
MADE = (
    "img[src='x'], [onerror], [onload], [onmouseover], a[href^='javascript'], .main-svg a, "
    "svg[onload], title ~ title"
)


def table(seed: int, n: int = 80) -> pl.DataFrame:
    """Predictions whose every text is hostile; most are right, some fail silently."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) // 2 % 3
    logits = rng.normal(size=(n, 3)) * 1.5
    logits[np.arange(n), labels] += 1.5
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return pl.DataFrame(
        {
            "id": [f"case{at:03}{IMAGE}{ENTITY}" for at in range(n)],
            "label": [CLASSES[label] for label in labels],
            **{f"prob_{name}": probs[:, k] for k, name in enumerate(CLASSES)},
            f"score_{SCORE}": probs.max(axis=1) + rng.normal(size=n) / 50,
            "patient": [f"p{at // 2}{SCRIPT}" for at in range(n)],
            "site": [SITES[at // 2 % 2] for at in range(n)],
            COLUMN: [f"value{at % 3}{LINK}" for at in range(n)],
            "path": [f"{at}{IMAGE}.png" for at in range(n)],
            "embedding": rng.normal(size=(n, 4)).tolist(),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of such a name, two tables of predictions, rows to fit on, a severity and an about.yaml."""
    made = tmp_path_factory.mktemp("hostile")
    for seed, name in enumerate(MODELS):
        (made / name).mkdir()
        table(seed).write_parquet(made / name / f"{FILE}.parquet")
    fit = table(9).with_columns(
        ("fit-" + pl.col("id")).alias("id"), ("fit-" + pl.col("patient")).alias("patient")
    )
    fit.write_parquet(made / "fit.parquet")
    severity = {
        "classes": list(CLASSES), "unit": f"cost of a fine confusion {IMAGE}{SCRIPT}",
        "groups": {f"bad{LINK}": list(CLASSES[1:]), f"good{IMAGE}": [CLASSES[0]]},
        "cost": {"fine": 1, "false_alarm": 2, "critical": 10},
        "critical": [[f"bad{LINK}", f"good{IMAGE}"]],
    }  # fmt: skip
    (made / f"severity{FILE}.yaml").write_text(yaml.safe_dump(severity))
    fields = ("intended_use", "setting", "readers", "funding")
    about = dict(zip(fields, (IMAGE, SCRIPT, LINK, f"{CLOSING}{QUOTE}"), strict=True))
    (made / "about.yaml").write_text(yaml.safe_dump(about))
    return made


@pytest.fixture(scope="module")
def audited(folder: Path) -> dict[str, Any]:
    """An audit and a comparison of these tables, with a policy fitted under such a name."""
    from primum.cli import app

    first, second = (folder / name / f"{FILE}.parquet" for name in MODELS)
    severity, policy = folder / f"severity{FILE}.yaml", folder / f"policy{FILE}.yaml"
    app(
        ["defer", "fit", str(folder / "fit.parquet"), "--severity", str(severity), "--score", SCORE,
         "--by", "site", "--capacity", "0.2", "--out", str(policy)],
        standalone_mode=False,
    )  # fmt: skip
    some = {"severity": severity, "by": ["site"], "bootstrap": 100}
    one = primum.audit(
        first, fit=folder / "fit.parquet", policies=[policy], members=[second],
        about=folder / "about.yaml", **some,
    )  # fmt: skip
    return {"audit": one, "comparison": primum.compare(first, second, **some)}


@pytest.fixture(scope="module")
def started(folder: Path, cache: Path) -> Iterator[Explorer]:
    one = Explorer(
        *(str(folder / name / f"{FILE}.parquet") for name in MODELS), "--port", "0",
        "--severity", str(folder / f"severity{FILE}.yaml"), "--images", str(folder), cache=cache,
    )  # fmt: skip
    yield one
    one.process.kill()
    one.process.communicate()


def harmless(driver: Any) -> None:
    """No script of a name has run, and no element was made of one."""
    assert driver.execute_script("return window.__hit") is None
    made = driver.execute_script(
        "return Array.from(document.querySelectorAll(arguments[0]), (one) => one.outerHTML)", MADE
    )
    assert made == []
    buttons = buttons_above(driver)
    assert not [name for name in buttons if re.search("share|cloud|studio", name, re.IGNORECASE)]


def buttons_above(driver: Any) -> list[str]:
    """What the buttons above the figures say; plotly has some that send a figure away."""
    titles = "Array.from(document.querySelectorAll('.modebar-btn'), (one) => one.dataset.title)"
    return [str(one) for one in driver.execute_script(f"return {titles}")]


def drawn_texts(driver: Any) -> str:
    """Everything plotly has written into its figures."""
    texts = "Array.from(document.querySelectorAll('.main-svg text'), (one) => one.textContent)"
    return str(driver.execute_script(f"return {texts}.join('\\n')"))


def hostile(content: Any) -> Any:
    """Content with markup behind every name that is free to choose."""
    free = (
        "name",
        "data",
        "network",
        "loss",
        "strength",
        "score",
        "reference",
        "severity",
        "shift",
        "why_not",
    )
    if isinstance(content, dict):
        return {
            key: value + IMAGE + ENTITY
            if key in free and isinstance(value, str) and value
            else hostile(value)
            for key, value in content.items()
        }
    return [hostile(one) for one in content] if isinstance(content, list) else content


def test_the_live_page_and_what_it_saves(chromium, started) -> None:
    for other in chromium.kept.glob("primum-*.html"):  # of another test, under the same name
        other.unlink()
    chromium.get_log("performance")
    looking.opened(chromium, started.address)
    assert chromium.title == f"{MODELS[0]} · primum explorer"
    assert text(chromium, "#head h1") == MODELS[0]
    looking.choose(chromium, "#dimensions", "2-D")
    until(lambda: chromium.find_elements(By.CSS_SELECTOR, "#scatter .nsewdrag"), "the flat figure")
    looking.click_point(chromium, "#scatter")
    assert "<img src=x onerror=window.__hit=1>&lt;img" in text(chromium, "#latent-case h2")
    assert FILE in text(chromium, "#latent-case h2")
    hovered = chromium.execute_script(
        "const of = document.querySelector('#scatter .js-plotly-plot');"
        "Plotly.Fx.hover(of, [{curveNumber: 1, pointNumber: 0}]);"
        "return Array.from(of.querySelectorAll('.hoverlayer text'), (one) => one.textContent).join('')"
    )
    assert any(name in hovered for name in CLASSES)
    kept = {}
    for title in (
        "Latent space",
        "Concept clusters",
        "Silent failures",
        "Deferral",
        "Two models",
        "Try an image",
    ):
        looking.choose(chromium, "#tab", title)
        panel = find(chromium, ".panel:not([hidden])")
        until(lambda panel=panel: panel.text, title)
        if title == "Two models":
            until(lambda: looking.drawn(chromium, "#second-scatter"), "both maps")
        if title == "Silent failures":
            until(lambda: chromium.find_elements(By.CSS_SELECTOR, "#failures-shown button.card"), "failures")
            assert CLASSES[1] in panel.text
        harmless(chromium)
        if title != "Try an image":
            find(chromium, ".panel:not([hidden]) .actions button:not([id*='csv'])").click()
            tab = chromium.execute_script("return document.querySelector('#tab input:checked').value")
            kept[title] = looking.downloaded(chromium, f"primum-{tab}.html")
    for title, file in kept.items():
        saved = file.rename(file.with_name(f"hostile-{file.name}"))
        chromium.get_log("performance")
        chromium.get(saved.as_uri())
        assert text(chromium, "h2") == title
        assert chromium.title == f"{MODELS[0]} · primum explorer"
        assert text(chromium, "h1") == MODELS[0]
        if title in ("Latent space", "Deferral", "Two models"):
            until(lambda: chromium.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .main-svg"), "its figure")
            assert "Zoom in" in buttons_above(chromium) or title == "Deferral"
        harmless(chromium)
        assert requested(chromium) <= {"file", "data", "blob"}
        saved.unlink()


def requested(driver: Any) -> set[str]:
    """Which kinds of address the page asked for since the log was last read."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"
    ]
    return {address.partition(":")[0] for address in asked}


@pytest.mark.parametrize("kind", ["audit", "comparison"])
def test_the_report_and_the_summary_in_a_notebook(chromium, audited, tmp_path, kind) -> None:
    for name, written in (
        ("report.html", page.render(audited[kind].to_dict())),
        ("summary.html", "<!DOCTYPE html><meta charset=utf-8><body>" + audited[kind]._repr_html_()),
    ):
        (tmp_path / name).write_text(written, encoding="utf-8")
        chromium.get_log("performance")
        chromium.get((tmp_path / name).as_uri())
        assert (FILE if kind == "audit" else MODELS[0]) in text(chromium, "body")
        if name == "report.html":
            chromium.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
            until(lambda: chromium.find_elements(By.CSS_SELECTOR, ".plot .main-svg"), "its figures")
            said = text(chromium, "body")
            assert all(name in said for name in (*CLASSES, *SITES))
            assert SCORE in drawn_texts(chromium)
        harmless(chromium)
        assert requested(chromium) <= {"file", "data"}


@pytest.mark.parametrize("of", [test_benching, test_score_benching])
def test_the_page_of_a_bench(chromium, tmp_path, of) -> None:
    content = hostile(copy.deepcopy(of.content()))
    (tmp_path / "bench.html").write_text(page.render(content), encoding="utf-8")
    chromium.get((tmp_path / "bench.html").as_uri())
    chromium.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    until(lambda: chromium.find_elements(By.CSS_SELECTOR, ".plot .main-svg"), "its figures")
    assert content["name"] in text(chromium, "h1")
    assert "<img src=x" in drawn_texts(chromium)
    harmless(chromium)


def test_the_page_of_copies(chromium, tmp_path) -> None:
    known = {"groups": 1, "images": 2, "exact_groups": 1, "conflicting_groups": 1}
    content = {"data": FILE, "n": 9, "verdict": f"leaks {IMAGE}", "copies": known}
    plain = {"kind": "exact", "across": True, "conflicting": True, "group": 0}
    listed = [
        plain | {"id": f"{at}{IMAGE}{QUOTE}", "path": f"{at}{IMAGE}", "label": CLASSES[at], "split": "train"}
        for at in range(2)
    ]
    (tmp_path / "copies.html").write_text(copies.render(content, listed, tmp_path), encoding="utf-8")
    chromium.get((tmp_path / "copies.html").as_uri())
    assert FILE in text(chromium, "h1")
    assert all(name in text(chromium, "section") for name in CLASSES[:2])
    harmless(chromium)
