"""Tables that many tests judge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

import primum

# The same examples at every run, so that a commit passes or fails always; `make fuzz` looks for others.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=50)
settings.register_profile("fuzz", deadline=None, database=None, max_examples=2_000, print_blob=True)
settings.load_profile("ci")

CLASSES = ("naevus", "keratosis", "melanoma", "carcinoma")


def made_table(n: int = 600, seed: int = 0, skill: float = 2.0, fit: float = 0.3) -> pl.DataFrame:
    """A table of predictions with patients of two cases, two sites and a calibration split."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, 4, (n + 1) // 2), 2)[:n]
    logits = rng.normal(size=(n, 4)) * 1.3
    logits[np.arange(n), labels] += skill
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    patient = np.arange(n) // 2
    return pl.DataFrame(
        {
            "id": [f"case-{i:05d}" for i in range(n)],
            "label": np.array(CLASSES)[labels],
            **{f"prob_{name}": probs[:, k] for k, name in enumerate(CLASSES)},
            "patient": [f"p{i}" for i in patient],
            "site": np.array(["A", "B"])[patient % 2],
            "split": np.where(patient < patient.max() * fit, "cal", "test"),
        }
    )


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    return made_table()


@pytest.fixture(scope="session")
def make() -> Callable[..., Any]:
    return made_table


@pytest.fixture
def refused() -> Callable[..., None]:
    """Check that a call is refused in one sentence that holds each of some texts, as a terminal shows it."""

    def check(call: Callable[[], object], *texts: str) -> None:
        with pytest.raises(primum.InputError) as caught:
            call()
        sentence = caught.value.terminal
        assert "\n" not in sentence
        assert ". " not in sentence
        assert not sentence.endswith(".")
        for text in texts:
            assert text in sentence

    return check


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command line, called with some arguments: exit code, standard output, standard error."""

    def call(*arguments: Any) -> tuple[int, str, str]:
        from primum import cli

        monkeypatch.setattr(sys, "argv", ["primum", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it loudly when no browser looked at the explorer."""
    skipped = terminalreporter.stats.get("skipped", [])
    left = [one for one in skipped if "browser" in one.keywords]
    if left:
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{len(left)} tests of the explorer need chromium and chromedriver (Debian: apt-get install "
            "chromium chromium-driver); without them nobody has looked at it in a browser."
        )
