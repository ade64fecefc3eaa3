"""Images of strangers, decoded in a process of their own that is stopped when it takes too long."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as OutOfTimeError
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from primum.core.arrays import Array
from primum.core.check import MissingExtraError
from primum.data.imaging import decode, limits, worker
from primum.data.imaging.decoded import Decoded, Grey, Picture, Range
from primum.data.imaging.opening import UnreadableError, pillow

START = (  # this very primum, and nothing else from the folder it lies in before what is installed
    "import sys; sys.path.insert(0, sys.argv[1]); import primum; del sys.path[0]; "
    "from primum.data.imaging.worker import main; main()"
)
ALONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # threads reserve address space
STOPPED = "reading it took more than {} seconds and was stopped; save it again as PNG"
DIED = "the process that read it broke off; save it again as PNG"
BUSY = "other images are still being read; drop it in again"


class Reader:
    """One process that decodes one file after the other; it is started when it is needed, and kept."""

    def __init__(self) -> None:
        self._busy, self._process = Lock(), Lock()
        self._running: subprocess.Popen[str] | None = None
        atexit.register(self.stop)

    def start(self) -> None:
        """Start the process where none is running; this does not wait for it."""
        self._ready()

    def load(self, content: bytes, suffix: str) -> Decoded:
        """As :func:`primum.data.imaging.decode.load`, of a file's bytes and the ending of its name.

        Raises:
            UnreadableError: also for more than ``limits.UPLOADED`` bytes, after ``limits.SECONDS``, for more
                memory than ``limits.MEMORY``, and when the process dies.
            MissingExtraError: when a library it needs is not installed.
        """
        fit(len(content))
        # the name is a stranger's: nothing of it but a known ending reaches the disk
        ending = suffix.lower() if suffix.lower() in decode.SUFFIXES else ""
        if not self._busy.acquire(timeout=limits.SECONDS):
            raise UnreadableError(BUSY)
        try:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                (Path(folder) / f"image{ending}").write_bytes(content)
                return read(self._answer(folder), Path(folder))
        finally:
            self._busy.release()

    def stop(self) -> None:
        """End the process, if one is running."""
        with self._process:
            ended, self._running = self._running, None
            if ended is not None:
                ended.kill()
                ended.wait()
                with suppress(OSError), ended:
                    pass  # closes the pipes

    def _ready(self) -> subprocess.Popen[str]:
        with self._process:
            if self._running is None or self._running.poll() is not None:
                home = Path(worker.__file__).parents[3]
                # -P: the folder it is started in lends it no modules
                # errors go nowhere: a pipe that nobody reads would fill and block
                self._running = subprocess.Popen(
                    [sys.executable, "-P", "-c", START, str(home)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    encoding="utf-8", env=os.environ | dict.fromkeys(ALONE, "1"),
                )  # fmt: skip
            return self._running

    def _answer(self, folder: str) -> Mapping[str, Any]:
        running, waiting = self._ready(), ThreadPoolExecutor(1)
        try:
            line = waiting.submit(_exchange, running, folder).result(limits.SECONDS)
            answer: Mapping[str, Any] = json.loads(line)
            return answer
        except OutOfTimeError:
            self.stop()
            raise UnreadableError(STOPPED.format(f"{limits.SECONDS:g}")) from None
        except (OSError, ValueError, RecursionError):
            self.stop()
            raise UnreadableError(DIED) from None
        finally:
            # a thread that still waits for a line ends with the process, which stop() killed
            waiting.shutdown(wait=False)


READER = Reader()


def fit(size: int) -> None:
    """Refuse a file of more bytes than may be dropped in."""
    if size > limits.UPLOADED:
        limit = limits.UPLOADED // 2**20
        raise UnreadableError(f"it has {size / 2**20:,.1f} MB, at most {limit} are read; shrink it")


def read(answer: Mapping[str, Any], folder: Path) -> Decoded:
    """The image that the process wrote into a folder; raises UnreadableError for what it refused."""
    if "lacking" in answer:
        raise MissingExtraError(str(answer["lacking"]))
    if "unreadable" in answer:
        raise UnreadableError(str(answer["unreadable"]))
    try:
        values = _array(folder / worker.VALUES)
        if answer["image"] == "picture":
            return Picture(
                str(answer["kind"]), pillow().fromarray(values.astype(np.uint8, copy=False), "RGB")
            )
        padding = folder / worker.PADDING
        return Grey(
            str(answer["kind"]),
            values,
            full=_range(answer["full"]) or (0.0, 1.0),
            stated=_range(answer["stated"]),
            claimed=_range(answer["claimed"]),
            inverted=bool(answer["inverted"]),
            cut=bool(answer["cut"]),
            padding=_array(padding).astype(np.bool_, copy=False) if padding.exists() else None,
        )
    except Exception:  # of headers that are none NumPy raises nearly every kind
        raise UnreadableError(DIED) from None


def _exchange(running: subprocess.Popen[str], folder: str) -> str:
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(json.dumps(folder) + "\n")
    running.stdin.flush()
    return running.stdout.readline()


def _array(file: Path) -> Array:
    """The array of a file, of numbers alone and as large as the file itself."""
    # mapped first: a header that claims more than the file holds fails before memory is asked for
    values = np.array(np.load(file, mmap_mode="r", allow_pickle=False))
    if values.dtype.kind not in "biuf" or values.ndim not in (2, 3):
        raise ValueError
    return values


def _range(ends: Any) -> Range | None:
    return None if ends is None else (float(ends[0]), float(ends[1]))
