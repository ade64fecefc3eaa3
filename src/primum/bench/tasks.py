"""One training of a bench, or what is asked of a trained network, carried out wherever an engine puts it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from primum.core import files
from primum.core.check import CheckpointError, PrimumError
from primum.model.recipe import Recipe


@dataclass(frozen=True)
class Task:
    """One training: what, where to, where stored features lie, and how many threads it may use.

    With ``like``, the folder of another run of the same data, it is trained in the splits of that run. With
    ``ask`` the run in ``folder`` is finished already, and this is done with it instead; ``about`` says
    what is asked about.
    """

    recipe: Recipe
    folder: Path
    features: Path
    threads: int
    ask: Callable[[Task], None] | None = None
    about: str = ""
    like: Path | None = None


@dataclass(frozen=True)
class Done:
    """A task that is over: seconds it took, and what went wrong or ""."""

    task: Task
    seconds: float
    fault: str = ""


def carry_out(task: Task) -> Done:
    """Train one task, going on where it was interrupted, or ask; a fault is returned, not raised.

    Where going on fails, since what was left is damaged, that is set aside and the run is done anew. What is
    no sentence of ours is left whole in ``fault.txt`` of the run's folder.
    """
    began, fault = time.monotonic(), ""
    try:
        if task.ask is not None:
            task.ask(task)
        else:
            _train_or_begin_anew(task)
    except PrimumError as error:
        fault = error.terminal
    except Exception as error:
        with files.whole(task.folder / "fault.txt") as draft:
            draft.write_text(traceback.format_exc(), encoding="utf-8")
        fault = f"{type(error).__name__}, see fault.txt in its folder"
    return Done(task, time.monotonic() - began, fault)


def _train_or_begin_anew(task: Task) -> None:
    resume = (task.folder / "recipe.yaml").exists()
    try:
        _train(task, resume)
    except Exception as error:
        if not resume or (isinstance(error, PrimumError) and not isinstance(error, CheckpointError)):
            raise
        files.set_aside(task.folder)
        _train(task, False)


def _train(task: Task, resume: bool) -> None:
    import torch

    from primum.model.train import train

    torch.set_num_threads(task.threads)
    train(
        task.recipe, task.folder, resume=resume, progress=False, cache=task.features,
        embeddings=task.recipe.network.trunk == "trained", like=task.like,
    )  # fmt: skip
