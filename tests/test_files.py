"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from primum import files
from primum.check import InputError


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


def test_existing(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("x")
    (tmp_path / "empty").touch()
    assert files.existing(str(tmp_path / "full"), "a table") == tmp_path / "full"
    for name, says in (("none", "no such file"), ("empty", "the file is empty"), (".", "this is a folder")):
        with pytest.raises(InputError, match=f"a table was expected here, .*{says}"):
            files.existing(tmp_path / name, "a table")
