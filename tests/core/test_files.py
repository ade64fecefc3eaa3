"""Files are written whole or not at all, several of them together, and never over something else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from primum.core import drafts, exchange, files
from primum.core.check import InputError


def test_the_final_name_appears_only_at_the_end(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "er" / "audit.json"
    with files.whole(final) as draft:
        draft.write_text("new")
        assert draft.parent == final.parent
        assert draft.suffix == ".json"
        assert not final.exists()
    assert final.read_text() == "new"
    assert list(final.parent.iterdir()) == [final]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_the_earlier_file_and_no_draft(
    error: type[BaseException], tmp_path: Path
) -> None:
    final = tmp_path / "audit.json"
    final.write_text("earlier")
    with pytest.raises(error):
        half_write(final, error)
    assert final.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [final]


def half_write(final: Path, error: type[BaseException]) -> None:
    with files.whole(final) as draft:
        draft.write_text("half")
        raise error


def test_others_may_read_it_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with files.whole(tmp_path / "t.txt") as draft:
            draft.write_text("x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert (tmp_path / "t.txt").stat().st_mode & 0o777 == 0o640


def odd_places(folder: Path) -> dict[str, str]:
    """Name → what is said of it, of everything that is no file to read."""
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "socket"))
    listening.close()
    return {
        "nothing": "there is no such file",
        "empty": "the file is empty",
        "folder": "this is a folder",
        "pipe": "this is a pipe",
        "socket": "this is a socket",
        "loop": "it cannot be looked at",
        "dangling": "there is no such file",
        "empty/inside": "is a file and no folder",
        "a" * 300: "it cannot be looked at",
        "a\0b": "it cannot be looked at",
        "a\udcff": "its name is not UTF-8",
    }


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    places = odd_places(tmp_path) | {"/dev/zero": "this is a device", "": "this is a folder"}
    for name, says in places.items():
        with pytest.raises(InputError, match=f"a table was expected here, .*{says}"):
            files.existing(tmp_path / name if name else Path(), "a table")
    (tmp_path / "full").write_text("x")
    assert files.existing(str(tmp_path / "full"), "a table") == tmp_path / "full"


def test_outputs_replace_files_and_nothing_else(tmp_path: Path) -> None:
    odd_places(tmp_path)
    places = ("folder", "pipe", "socket", "loop", "empty/inside", "a" * 300, "a\0b", "a\udcff", "/dev/null")
    for name in places:
        with pytest.raises(InputError, match="a file is to be written here"), files.whole(tmp_path / name):
            pytest.fail("a draft was begun")
    assert not [name for name in os.listdir(tmp_path) if drafts.is_draft(name)]
    assert Path("/dev/null").is_char_device()


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("earlier")
    (tmp_path / "link.json").symlink_to("real.json")
    with files.whole(tmp_path / "link.json") as draft:
        draft.write_text("new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def write_new(folder: Path, names: list[str], error: type[BaseException] | None = None) -> None:
    with files.together([folder / name for name in names]) as parts:
        for part in parts.values():
            part.write_text("new")
        if error is not None:
            raise error


def test_of_several_files_all_are_replaced_or_none(tmp_path: Path) -> None:
    names = ["a.json", "b.parquet", "c.html"]
    for name in names:
        (tmp_path / name).write_text("earlier")
    with pytest.raises(KeyError):
        write_new(tmp_path, names, KeyError)
    assert {(tmp_path / name).read_text() for name in names} == {"earlier"}
    write_new(tmp_path, names)
    assert {(tmp_path / name).read_text() for name in names} == {"new"}
    assert sorted(os.listdir(tmp_path)) == names


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_replaced_is_put_back_where_one_cannot_take_its_name(
    error: BaseException, early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a.json", "b.parquet", "c.html"]
    (tmp_path / "a.json").write_text("earlier")
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        if Path(target).name == "c.html" and early:
            raise error
        replace(source, target)
        if Path(target).name == "b.parquet" and not early and Path(target).read_text() == "new":
            raise error

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(type(error)):
        write_new(tmp_path, names)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "earlier"}


KILLED = """
    import os, sys
    from pathlib import Path
    from primum.core import files
    replace, count = os.replace, 0
    def dying(source, target):
        global count
        if count == int(sys.argv[1]):
            os.kill(os.getpid(), 9)
        count += 1
        replace(source, target)
    os.replace = dying
    with files.together([Path("a.json"), Path("b.parquet"), Path("c.html")]) as parts:
        for part in parts.values():
            part.write_text("new")
"""


@pytest.mark.parametrize("renames", range(5))
def test_a_killed_exchange_is_brought_to_its_end_by_whoever_looks_next(renames: int, tmp_path: Path) -> None:
    names = ["a.json", "b.parquet", "c.html"]
    for name in names:
        (tmp_path / name).write_text("earlier")
    code = textwrap.dedent(KILLED)
    subprocess.run([sys.executable, "-c", code, str(renames)], cwd=tmp_path, check=False, timeout=60)
    read = {files.existing(tmp_path / name, "a part").read_text() for name in names}
    # The first rename is that of the note: before it nothing is exchanged, after it everything.
    assert read == ({"earlier"} if renames == 0 else {"new"})
    with files.whole(tmp_path / "d.txt") as draft:
        draft.write_text("x")
    assert sorted(os.listdir(tmp_path)) == [*names, "d.txt"]


def test_drafts_of_the_dead_are_cleared_and_those_of_the_living_stay(tmp_path: Path) -> None:
    living = tmp_path / f".primum-draft-{os.getppid()}-abcdefgh-x.json"
    dead = tmp_path / ".primum-draft-4194303-abcdefgh-x.json"  # above the largest number of a process
    for draft in (living, dead):
        draft.touch()
    with files.whole(tmp_path / "y.json") as draft:
        draft.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [living.name, "y.json"]
    assert files.bare(tmp_path, "y.json")
    assert not files.bare(tmp_path)


def test_a_note_of_somebody_else_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / exchange.NOTE).write_text("remember the milk\n1\n.primum-draft-1-abcdefgh-a\tb\n")
    (tmp_path / "a").write_text("x")
    assert files.existing(tmp_path / "a", "a file").read_text() == "x"
    write_new(tmp_path, ["a"])
    write_new(tmp_path, ["a", "b"])
    (tmp_path / "b").unlink()
    assert (tmp_path / exchange.NOTE).read_text().startswith("remember")
    assert sorted(os.listdir(tmp_path)) == [exchange.NOTE, "a"]


def test_a_note_moves_nothing_out_of_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    draft = ".primum-draft-4194303-abcdefgh-a"
    (inside / draft).write_text("new")
    (inside / exchange.NOTE).write_text(f"{exchange.EXPLAINED}\n4194303\n{draft}\t../outside\n")
    exchange.settle(inside)
    assert not (tmp_path / "outside").exists()


def test_a_folder_set_aside_keeps_everything(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "notes.txt").write_text(str(number))
        aside = files.set_aside(tmp_path / "run")
        assert aside.name == f"run.damaged-{number}"
        assert (aside / "notes.txt").read_text() == str(number)


def test_only_files_of_ours_are_removed(tmp_path: Path) -> None:
    place = tmp_path / "parts"
    place.mkdir()
    for name in ("1.npz", "2.npz", "mine.txt"):
        (place / name).touch()
    files.remove(place, "*.npz")
    assert os.listdir(place) == ["mine.txt"]
    (place / "mine.txt").unlink()
    files.remove(place, "*.npz")
    assert not place.exists()
