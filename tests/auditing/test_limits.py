from __future__ import annotations

from pathlib import Path

import pytest

from primum.auditing.limits import check_limits, read_limits
from primum.core.check import InputError


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("cer: 0.1", "needs 'max' or 'min'"),
        ("cerr: {max: 0.1}", "did you mean 'cer'"),
        ("cer: {most: 0.1}", "needs 'max' or 'min'"),
        ("cer: {max: low}", "must be a number"),
        ("[1, 2]", "limits are lines"),
        ("cer: {max: [", "not valid YAML"),
    ],
)
def test_bad_limits_are_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        read_limits(path)


def test_limits_are_read(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("cer: {max: 0.05}\nspecificity: {min: 0.8}\n")
    assert read_limits(path) == {"cer": {"max": 0.05}, "specificity": {"min": 0.8}}
    assert check_limits({"ece": {"max": 0}}, "here") == {"ece": {"max": 0.0}}
