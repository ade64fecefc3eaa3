"""Two writers of one folder: the second is refused, the first goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from primum.core import locks

HOLDING = "import sys, time; from pathlib import Path; from primum.core import locks\n"
HOLDING += "with locks.alone(Path('.')):\n    print('held', flush=True); time.sleep(60)"


def test_the_second_is_refused_and_a_killed_holder_lets_go(
    tmp_path: Path, refused: Callable[..., None]
) -> None:
    def hold() -> None:
        with locks.alone(tmp_path):
            pass

    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    refused(hold, "another primum is writing here")
    process.kill()
    process.wait()
    process.stdout.close()
    hold()
