"""What users import does not change by accident."""

from __future__ import annotations

import subprocess
import sys

import pytest

import primum

NAMES = {
    "Audit", "Comparison", "Finding", "InputError", "Policy", "Predictions", "PrimumError", "Promise",
    "SeverityMatrix", "StatedReader", "__version__", "apply_policy", "audit", "check_policy", "compare",
    "fit_policy", "read",
}  # fmt: skip
MODULES = {"losses", "metrics", "severity"}


def test_the_public_names() -> None:
    assert set(primum.__all__) == NAMES
    assert set(dir(primum)) == NAMES | MODULES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(primum, name)
    assert name == "__version__" or found.__doc__


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_public_module_is_there_and_documented(name: str) -> None:
    if name == "losses":
        pytest.importorskip("torch", reason="losses come with the train extra")
    assert getattr(primum, name).__doc__


def test_star_import_gives_exactly_these() -> None:
    code = "from primum import *; print(sorted(n for n in globals() if n[:2] != '__' or n == '__version__'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(NAMES))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'adit'"):
        _ = primum.adit
