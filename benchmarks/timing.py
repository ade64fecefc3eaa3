"""Time calls, in this process or in one of their own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable


def median(call: Callable[[], object], repeats: int = 7) -> float:
    """Median seconds of ``repeats`` calls after one that does not count."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def alone(code: str) -> tuple[float, float]:
    """Seconds and peak memory (GB) of ``code`` in a fresh interpreter."""
    wrapped = (
        "import json,resource,time\nfrom pathlib import Path\nstart=time.perf_counter()\n"
        f"{code}\n"
        "memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1e6\n"
        "status = Path('/proc/self/status')\n"
        "if status.exists():  # on Linux the line above still counts what the process was forked from\n"
        "    memory = int(status.read_text().split('VmHWM:')[1].split()[0])/1e6\n"
        "print(json.dumps([time.perf_counter()-start, memory]))"
    )
    done = subprocess.run([sys.executable, "-c", wrapped], capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def command(arguments: list[str], repeats: int = 7) -> float:
    """Median wall seconds of a command, start of the interpreter included."""
    return median(lambda: subprocess.run(arguments, capture_output=True, check=True), repeats)
