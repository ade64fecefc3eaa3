"""What a person does in the explorer, as functions of a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WAIT = 60
FIRST_POINT = """
const graph = document.querySelector(arguments[0] + ' .js-plotly-plot'), full = graph._fullLayout;
const frame = graph.querySelector('.nsewdrag').getBoundingClientRect();
for (let at = graph._fullData.length - 1; at > 0; at--) {
  const trace = graph._fullData[at];
  for (let i = 0; i < trace.x.length; i++) {
    const x = full.xaxis.d2p(trace.x[i]), y = full.yaxis.d2p(trace.y[i]);
    if (x > 30 && x < frame.width - 30 && y > 60 && y < frame.height - 30 &&
        frame.top + y > 5 && frame.top + y < innerHeight - 5)
      return [Math.round(x - frame.width / 2), Math.round(y - frame.height / 2)];
  }
}
"""


def until(what: Callable[[], Any], said: str) -> Any:
    """Wait for something to become true, and give it."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        try:
            found = what()
        except Exception as error:  # the page is being drawn anew
            found, said = None, f"{said} ({type(error).__name__})"
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {said}")


def find(driver: Any, selector: str) -> Any:
    """The first element of a selector, once it is there."""
    return until(lambda: driver.find_elements(By.CSS_SELECTOR, selector), selector)[0]


def text(driver: Any, selector: str) -> str:
    """Its text, once there is some."""
    return str(until(lambda: find(driver, selector).text.strip(), f"text in {selector}"))


def opened(driver: Any, address: str) -> None:
    """The page, with the scatter drawn."""
    driver.get(address)
    until(lambda: drawn(driver, "#scatter"), "the scatter")


def drawn(driver: Any, graph: str) -> int:
    """How many points a figure holds."""
    script = (
        "const g = document.querySelector(arguments[0] + ' .js-plotly-plot');"
        "return g && g._fullData ? g._fullData.reduce((n, t) => n + (t.x ? t.x.length : 0), 0) : 0"
    )
    return int(driver.execute_script(script, graph))


def choose(driver: Any, group: str, name: str) -> None:
    """Press a radio button or a tab by its name."""
    labels = until(lambda: driver.find_elements(By.CSS_SELECTOR, f"{group} label"), group)
    next(label for label in labels if label.text.strip() == name).click()


def select(driver: Any, dropdown: str, start: str) -> None:
    """Choose the option that starts so from a list, by keyboard as far as one can."""
    find(driver, dropdown).click()
    options = until(
        lambda: [
            one for one in driver.find_elements(By.CSS_SELECTOR, ".dash-dropdown-option") if one.text.strip()
        ],
        f"options of {dropdown}",
    )
    next(one for one in options if one.text.strip().startswith(start)).click()


def click_point(driver: Any, graph: str) -> None:
    """Click the uppermost point of a flat figure with the mouse."""
    frame = find(driver, f"{graph} .nsewdrag")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", frame)
    x, y = until(lambda: driver.execute_script(FIRST_POINT, graph), "a point to click")
    ActionChains(driver).move_to_element_with_offset(frame, x, y).pause(0.3).click().perform()


def press(driver: Any, selector: str, *keys: str) -> None:
    """Keys sent to an element."""
    find(driver, selector).send_keys(*keys)


def downloaded(driver: Any, name: str) -> Path:
    """A file the browser has kept, whole."""
    file: Path = driver.kept / name
    until(lambda: file.is_file() and not file.with_name(f"{name}.crdownload").exists(), name)
    return file


RIGHT, LEFT, HOME, END = Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.HOME, Keys.END
