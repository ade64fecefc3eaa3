"""The explorer in a real browser: what is clicked is what is shown, and nothing leaves this machine."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.explore.browser import looking
from tests.explore.browser.looking import find, opened, text, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def page(chromium, explorer):
    opened(chromium, explorer.address)
    return chromium


def test_a_clicked_point_shows_its_case(page, runs) -> None:
    looking.choose(page, "#dimensions", "2-D")
    until(lambda: page.find_elements(By.CSS_SELECTOR, "#scatter .nsewdrag"), "the flat figure")
    looking.click_point(page, "#scatter")
    name = text(page, "#latent-case h2").split("\n")[0]
    assert (runs / "images" / f"{name}.png").is_file()
    picture = find(page, "#latent-case .picture img")
    side = (
        96 if "\ntest" in text(page, "#latent-case h2") else 32
    )  # corrupted ones at the size the network saw
    until(lambda: picture.get_property("naturalWidth") == side, "the image at its own size")
    said = text(page, "#latent-case")
    assert "Probabilities" in said
    assert "msr" in said
    assert len(page.find_elements(By.CSS_SELECTOR, "#latent-case .near img")) == 5


def test_a_case_found_by_keyboard(page) -> None:
    looking.press(page, "#find", "c019\n")
    assert text(page, "#latent-case h2").startswith("c019")


def test_filters_and_focus_change_what_is_drawn(page) -> None:
    whole = looking.drawn(page, "#scatter")
    looking.select(page, "#only-outcome", "wrong")
    until(lambda: "Only wrong" in text(page, "#latent-said"), "the filter in words")
    assert 0 < looking.drawn(page, "#scatter") < whole


def test_a_cluster_leads_to_its_points(page) -> None:
    looking.choose(page, "#tab", "Concept clusters")
    card = find(page, "#clusters-shown button.card")
    count = int(card.text.split()[0])
    card.click()
    assert f"the {count} cases of cluster 1" in text(page, "#focus-said")
    find(page, "#no-focus").click()
    until(lambda: not find(page, "#focus-said").text, "all points in colour again")


def test_failures_and_one_image_across_intensities(page) -> None:
    looking.choose(page, "#tab", "Silent failures")
    heads = until(lambda: page.find_elements(By.CSS_SELECTOR, "#failures-shown h3"), "failures")
    assert heads[0].text == "The two surest"
    find(page, "#failures-shown button.card").click()
    until(lambda: "The model was" in text(page, "#failures-case"), "the case")
    levels = until(lambda: page.find_elements(By.CSS_SELECTOR, "#failures-strip figcaption b"), "intensities")
    assert [level.text for level in levels] == ["as it is", "intensity 1", "intensity 5"]


def test_the_slider_and_the_score_there_and_back(page) -> None:
    looking.choose(page, "#tab", "Deferral")
    before = text(page, "#deferral-numbers")
    looking.press(page, "#deferral-rate [role=slider]", looking.HOME)
    looking.press(page, "#deferral-share [role=slider]", *[looking.RIGHT] * 40)
    until(
        lambda: (
            "Of 30" in text(page, "#deferral-said") and "12 go to a reader" in text(page, "#deferral-said")
        ),
        "40 %",
    )
    assert text(page, "#deferral-numbers") != before
    moved = text(page, "#deferral-numbers"), text(page, "#deferral-matrix")
    looking.select(page, "#deferral-score", "pe")
    until(lambda: "used where pe" in text(page, "#deferral-said"), "the other score")
    looking.select(page, "#deferral-score", "msr (")
    until(lambda: "used where msr " in text(page, "#deferral-said"), "the first score")
    assert (text(page, "#deferral-numbers"), text(page, "#deferral-matrix")) == moved


def test_two_sliders_move_one_result(page) -> None:
    looking.choose(page, "#tab", "Deferral")
    pattern = r"Of (\d+) .* go to a reader \((\d+) unfamiliar, (\d+) unsure\) and (\d+) answers are used"

    def counts() -> list[int]:
        said = re.search(pattern, text(page, "#deferral-said").replace("\N{NO-BREAK SPACE}", " "))
        return [int(count) for count in said.groups()] if said else []

    looking.press(page, "#deferral-rate [role=slider]", looking.END)
    looking.press(page, "#deferral-share [role=slider]", looking.HOME)
    strict = until(lambda: (now := counts()) and now[1] > 0 and now[2] == 0 and now, "the veto alone")
    assert sum(strict[1:]) == strict[0]
    looking.press(page, "#deferral-share [role=slider]", *[looking.RIGHT] * 60)
    surer = until(lambda: (now := counts()) and now[2] > 0 and now, "both questions")
    assert surer[1] == strict[1]
    assert surer[3] < strict[3]
    assert f"{surer[1]} unfamiliar, {surer[2]} unsure" in text(page, "#deferral-numbers")
    looking.press(page, "#deferral-rate [role=slider]", looking.HOME)
    until(lambda: "unfamiliar" not in text(page, "#deferral-said"), "confidence alone")


def test_an_image_that_is_dropped_in(page, runs) -> None:
    looking.choose(page, "#tab", "Try an image")
    find(page, "#upload input[type=file]").send_keys(str(runs / "images" / "c018.png"))
    said = text(page, "#tried")
    assert "Use the answer" in said or "Send it to a reader" in said
    assert "msr" in said
    assert "known patients set no veto at 5 %" in said
    assert "The nearest training images" in said
    assert len(page.find_elements(By.CSS_SELECTOR, "#tried .near img")) == 3


def test_what_is_no_image_is_refused_in_a_sentence(page, runs) -> None:
    looking.choose(page, "#tab", "Try an image")
    find(page, "#upload input[type=file]").send_keys(str(runs / "severity.yaml"))
    assert "an image was expected" in text(page, "#tried")


def test_two_models_on_the_same_cases(page) -> None:
    looking.choose(page, "#tab", "Two models")
    until(lambda: looking.drawn(page, "#first-scatter"), "the first map")
    assert looking.drawn(page, "#first-scatter") == looking.drawn(page, "#second-scatter")
    looking.click_point(page, "#first-scatter")
    first = text(page, "#first-case h2")
    assert text(page, "#second-case h2") == first


def test_the_other_model_is_shown_when_chosen(page) -> None:
    assert text(page, "#head h1") == "one"
    looking.select(page, "#scene", "two")
    until(lambda: text(page, "#head h1") == "two", "the other model")
    until(lambda: looking.drawn(page, "#scatter"), "its scatter")
    assert not list(page.kept.glob("*.html"))  # nothing is saved unasked


def test_a_selection_as_csv(page) -> None:
    looking.select(page, "#only-class", "melanoma")
    page.find_element(By.TAG_NAME, "body").send_keys("\ue00c")
    said = until(
        lambda: "Only melanoma" in text(page, "#latent-said") and text(page, "#latent-said"), "the filter"
    )
    find(page, "#latent-csv").click()
    with looking.downloaded(page, "cases.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["label"] for row in rows} == {"melanoma"}
    assert said.split()[0] == str(len(rows))


def test_the_saved_view_opens_offline(page) -> None:
    before = looking.drawn(page, "#scatter")
    looking.press(page, "#find", "c019\n")
    points = until(lambda: (now := looking.drawn(page, "#scatter")) > before and now, "the mark")
    text(page, "#latent-case h2")
    page.find_element(By.XPATH, "//section[not(@hidden)]//button[contains(., 'Save this view')]").click()
    saved = looking.downloaded(page, "primum-latent.html")
    page.get_log("performance")
    page.get(saved.as_uri())
    until(lambda: looking.drawn(page, "body") == points, "the same points")
    body = page.find_element(By.TAG_NAME, "body").text
    assert "c019" in body
    assert "Latent space" in body
    images = page.find_elements(By.CSS_SELECTOR, "img")
    assert images
    assert all(image.get_attribute("src").startswith("data:") for image in images)
    assert {address.split(":")[0] for address in asked(page)} <= {"file", "data", "blob"}


def test_no_request_leaves_this_machine(page, explorer) -> None:
    for name in ("Concept clusters", "Silent failures", "Deferral", "Try an image", "Two models"):
        looking.choose(page, "#tab", name)
    until(lambda: looking.drawn(page, "#second-scatter"), "the last tab")
    addresses = [one for one in asked(page) if not one.startswith(("data:", "blob:"))]
    assert addresses
    # a page of another test may still ask its own explorer: that is this machine too
    assert {one for one in addresses if not one.startswith(("http://127.0.0.1:", "file:"))} == set()


def test_two_people_do_not_disturb_each_other(chromium, explorer) -> None:
    opened(chromium, explorer.address)
    mine = chromium.current_window_handle
    looking.press(chromium, "#find", "c019\n")
    assert text(chromium, "#latent-case h2").startswith("c019")
    chromium.switch_to.new_window("tab")
    opened(chromium, explorer.address)
    assert "Click a point" in text(chromium, "#latent-case")
    looking.select(chromium, "#scene", "two")
    until(lambda: text(chromium, "#head h1") == "two", "the other model")
    chromium.close()
    chromium.switch_to.window(mine)
    assert text(chromium, "#head h1") == "one"
    assert text(chromium, "#latent-case h2").startswith("c019")


@pytest.mark.parametrize("width", [1400, 390])
def test_nothing_is_wider_than_the_window(chromium, explorer, width) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened(chromium, explorer.address)
        for name in ("Concept clusters", "Silent failures", "Deferral", "Two models", "Latent space"):
            looking.choose(chromium, "#tab", name)
            find(chromium, ".panel:not([hidden])")
            # a figure is drawn at its usual width first and then fitted, later on a busy machine
            until(
                lambda: chromium.execute_script("return document.documentElement.scrollWidth") <= width,
                f"{name} within {width} pixels",
            )
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def asked(driver) -> list[str]:
    """Every address the browser has asked for since the log was last read."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"
    ]


def test_images_that_moved_are_named(chromium, runs, cache, tmp_path) -> None:
    from tests.explore.browser.conftest import Explorer

    arguments = [str(runs / "one"), "--severity", str(runs / "severity.yaml"), "--images", str(tmp_path)]
    started = Explorer(*arguments, "--port", "0", cache=cache)
    try:
        opened(chromium, started.address)
        points = looking.drawn(chromium, "#scatter")
        looking.press(chromium, "#find", "c019\n")
        assert "c019.png" in text(chromium, "#latent-case .refused")
        assert looking.drawn(chromium, "#scatter") >= points
    finally:
        code, said = started.interrupt()
    assert code == 130
    assert "Traceback" not in said


def test_a_port_in_use_gives_way_to_the_next(explorer, runs, cache) -> None:
    from tests.explore.browser.conftest import Explorer

    taken = int(explorer.address.rsplit(":", 1)[1])
    second = Explorer(str(runs / "one"), "--port", str(taken), cache=cache)
    code, said = second.interrupt()
    assert int(second.address.rsplit(":", 1)[1]) > taken
    assert f"port {taken} is in use" in said
    assert code == 130


def test_a_host_that_others_reach_is_warned_of(runs, cache) -> None:
    from tests.explore.browser.conftest import Explorer

    code, said = Explorer(str(runs / "one"), "--host", "0.0.0.0", "--port", "0", cache=cache).interrupt()
    assert "warning: everyone who reaches this machine" in said
    assert code == 130


def test_the_folder_of_the_run_is_as_it_was(explorer, runs) -> None:
    left = {path.name for path in Path(runs / "one").iterdir()}
    assert left == {
        "splits.parquet", "recipe.yaml", "log", "predictions", "network.safetensors", "network.json",
    }  # fmt: skip
