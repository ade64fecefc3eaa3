"""One changed command in a folder of its own, and what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unittest import mock

from primum import cli
from primum.core import drafts
from tests.fuzz import inputs, mutations
from tests.fuzz.verbs import VERBS

SECONDS = 40  # more is a hang; the machine of the tests may be busy
WRITTEN = ("--out", "--out-fit")
HIDDEN = (inputs.PATIENT, inputs.CASE, "19450321")


class Hang(BaseException):
    """A command that does not end."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its words and changes, exit code, and every fault of that."""

    told: str
    code: int | None
    faults: tuple[str, ...]


def case(seed: int, valid: Path, folder: Path) -> Ended:
    """Change one or two inputs of a command, run it in ``folder``, and look at what it left."""
    rng = Random(seed)
    shutil.copytree(valid, folder, symlinks=True)
    (folder / "in-the-way").mkdir()
    verb = rng.choice(VERBS)
    with within(folder):
        changed = []
        if rng.random() < 0.85:
            chosen = rng.choices(verb.reads, k=rng.choice((1, 1, 1, 2, 3)))
            changed = [mutations.change(Path(name), rng) for name in chosen if Path(name).is_file()]
        words = verb.words(rng)
        told = f"seed {seed}: primum {' '.join(words)!r} with {'; '.join(changed) or 'no change'}"
        before = _state()
        code, out, err, crash = run(words)
        after = _state()
    faults = [*crash, *_said(code, err, out), *_left(code, before, after, words, verb.out)]
    return Ended(told, code, tuple(faults))


def run(words: list[str]) -> tuple[int | None, str, str, list[str]]:
    """Exit code, standard output and error of a command, and its traceback or hang."""
    out, err = io.StringIO(), io.StringIO()
    code, crash = None, []

    def end(*_: object) -> None:
        raise Hang

    earlier = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    try:
        with (
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _not_serving(),
            mock.patch.object(sys, "argv", ["primum", *words]),
        ):  # fmt: skip
            cli.main()
        crash.append("no exit")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except Hang:
        crash.append(f"hang: {traceback.format_exc().splitlines()[-4:]}")
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "primum" in f.filename][-1]
        crash.append(
            f"traceback: {type(error).__name__}: {str(error)[:150]!r} at {Path(ours.filename).name}:"
            f"{ours.lineno} ({Path(where.filename).name}:{where.lineno})"
        )
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, earlier)
    return code, out.getvalue(), err.getvalue(), crash


@contextlib.contextmanager
def _not_serving() -> Iterator[None]:
    """Explorers end as soon as they would serve."""
    from primum.explore.app import server

    class Served:
        def serve_forever(self) -> None:
            raise KeyboardInterrupt

    with mock.patch.object(server, "open_server", return_value=Served()):
        yield


@contextlib.contextmanager
def within(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _state() -> dict[str, str]:
    """Path → what is there, of everything in the working directory."""
    found = {}
    for place in sorted(Path().rglob("*")):
        if place.is_symlink():
            found[str(place)] = f"link to {os.readlink(place)}"
        elif place.is_file():
            found[str(place)] = hashlib.sha256(place.read_bytes()).hexdigest()
        else:
            found[str(place)] = "folder" if place.is_dir() else "no file"
    return found


def _said(code: int | None, err: str, out: str) -> list[str]:
    faults = []
    if code not in (0, 2, 130, None):
        faults.append(f"exit code {code}: {err[-200:]!r}")
    if "Traceback" in err:
        faults.append(f"a traceback was printed: {err[-300:]!r}")
    sentences = [line for line in err.splitlines() if line.startswith("primum: ")]
    if code == 2 and not sentences and "Usage:" not in err:
        faults.append(f"no sentence: {err[-200:]!r}")
    faults += [f"too long ({len(line)}): {line[:120]!r}" for line in sentences if len(line) > 308]
    if code == 2:
        odd = {char for char in err if not char.isprintable() and char not in "\n\t"}
        faults += [f"control characters {odd!r} in {err[-200:]!r}"] if odd else []
        faults += [f"{name} is told: {err[-300:]!r}" for name in HIDDEN if name in err]
    return faults


def _left(
    code: int | None, before: dict[str, str], after: dict[str, str], words: list[str], out: str
) -> list[str]:
    faults = []
    named = words[words.index("--out") + 1] if "--out" in words else "decisions.csv"
    drafted = [name for name in after if drafts.is_draft(Path(name).name)]
    faults += [f"drafts are left: {drafted}"] if drafted else []
    for name, content in before.items():
        if name != "in-the-way" and after.get(name) != content and not _is_output(name, named, words):
            faults.append(f"{name} was changed or removed")
        if content != after.get(name) and name in inputs_of(words):
            faults.append(f"the input {name} was changed")
    new = [name for name in after if name not in before]
    if code != 0 and "explore" not in words:
        files = [name for name in new if after[name] != "folder" and Path(name).name != ".lock"]
        faults += [f"refused, and left {files[:4]}"] if files else []
    return faults


def inputs_of(words: list[str]) -> list[str]:
    """The words of a command that name what it reads."""
    return [word for word, before in zip(words, ["", *words], strict=False) if before not in WRITTEN]


def _is_output(name: str, named: str, words: list[str]) -> bool:
    """Whether a name is one that the command was asked to write."""
    further = words[words.index("--out-fit") + 1] if "--out-fit" in words else ""
    return any(place and (name == place or name.startswith(f"{place}/")) for place in (named, further))
