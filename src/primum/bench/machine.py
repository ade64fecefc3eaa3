"""The machine a bench ran on."""

from __future__ import annotations

import platform
from pathlib import Path

from primum.bench.engine import cores


def describe_machine() -> dict[str, object]:
    """What the figures were made on, without names of hosts or people."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": cores(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
