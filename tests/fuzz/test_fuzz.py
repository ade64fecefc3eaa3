"""Many changed inputs over every verb: a sentence and exit code 2, or a whole result; never anything between.

300 cases stand here; ``make fuzz`` runs 5,000 of another seed at each run (``FUZZ_CASES``, ``SEED``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fuzz import inputs, running

CASES = int(os.environ.get("FUZZ_CASES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
PARTS = 12

pytestmark = pytest.mark.fuzz


@pytest.fixture(scope="session")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Valid inputs, with a policy, an audit and a run that primum made of them."""
    folder = tmp_path_factory.mktemp("fuzz") / "valid"
    folder.mkdir()
    inputs.write(folder)
    (folder / "occupied").mkdir()
    (folder / "occupied" / "notes.txt").write_text("mine")
    lines = (
        "defer fit cal.parquet --severity severity.yaml --reader-cost 0.5 --out policy.yaml",
        "audit test.parquet --severity severity.yaml --bootstrap 100 --out audit",
    )
    with running.within(folder):
        for line in lines:
            code, _, err, crash = running.run(line.split())
            assert (code, crash) == (0, []), err
        inputs.train(folder)
    return folder


@pytest.mark.parametrize("part", range(PARTS))
def test_changed_inputs_are_refused_in_a_sentence_or_judged_whole(
    part: int, valid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    faults = []
    for number in range(part, CASES, PARTS):
        seed = SEED * 1_000_000 + number
        ended = running.case(seed, valid, tmp_path / str(number))
        faults += [f"{ended.told}\n    {fault}" for fault in ended.faults]
        if len(faults) > 20:
            break
    print(f"{len(faults)} faults", file=sys.stderr)
    assert not faults, "\n".join(faults)
