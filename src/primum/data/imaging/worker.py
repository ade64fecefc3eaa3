"""The process that decodes files of strangers: it may be killed or die, and hands back pixels alone.

Each line on standard input is the path of a folder with one file in it; the answer is a line of JSON, and
arrays beside the file. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from primum.core.check import PrimumError
from primum.data.imaging import decode, limits
from primum.data.imaging.decoded import Decoded, Picture
from primum.data.imaging.opening import NO_MEMORY, UnreadableError

VALUES, PADDING = "values.npy", "padding.npy"
STATED = ("kind", "full", "stated", "claimed", "inverted", "cut")


def main() -> None:
    """Answer until the input ends."""
    confine()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        if hasattr(signal, "alarm"):
            signal.alarm(round(limits.SECONDS) + 5)  # where nobody is left to stop it
        print(json.dumps(answer(Path(json.loads(line)))), file=answers, flush=True)
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def confine() -> None:
    """Bound the memory of this process, and leave no dump of it, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for resource_kind, limit in ((resource.RLIMIT_AS, limits.MEMORY), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(resource_kind)[1]
        # a hard limit the system has set can be lowered, never raised
        within = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource_kind, (within, within))


def answer(folder: Path) -> dict[str, Any]:
    """What is told of the one file in a folder: of its image, or why it is ``unreadable`` or ``lacking``."""
    try:
        [file] = folder.iterdir()
        return written(decode.load(file), folder)
    except UnreadableError as error:
        return {"unreadable": str(error)}
    except PrimumError as error:
        return {"lacking": str(error)}
    except MemoryError:
        return {"unreadable": NO_MEMORY}


def written(image: Decoded, folder: Path) -> dict[str, Any]:
    """Arrays of an image in a folder, and its other attributes, JSON-ready."""
    if isinstance(image, Picture):
        np.save(folder / VALUES, np.asarray(image.image), allow_pickle=False)
        return {"image": "picture", "kind": image.kind}
    np.save(folder / VALUES, image.values, allow_pickle=False)
    if image.padding is not None:
        np.save(folder / PADDING, image.padding, allow_pickle=False)
    return {"image": "grey"} | {name: getattr(image, name) for name in STATED}
