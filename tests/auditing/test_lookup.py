"""An audit at a prompt: asked by code, shown in ten lines, sent to another process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import primum
from primum.auditing.lookup import NoFindingError
from primum.core.check import InputError, MissingExtraError
from tests.conftest import made_table


@pytest.fixture(scope="module")
def audit():
    return primum.audit(made_table(200), severity="phantom", bootstrap=100)


def test_a_code_with_one_value_is_answered():
    plain = primum.audit(made_table(200), bootstrap=100)  # no severity, so there is no Bayes decision
    assert plain["accuracy"] == plain.finding("accuracy", decision="argmax")


def test_two_decisions_must_be_told_apart(audit):
    with pytest.raises(NoFindingError, match=r"cer stands here 2 times; choose by decision: argmax, bayes"):
        audit["cer"]
    with pytest.raises(NoFindingError, match=r"for example finding\('cer', decision='argmax'\)"):
        audit["cer"]
    assert audit.finding("cer", decision="bayes").decision == "bayes"


def test_a_misspelt_code_names_the_nearest(audit):
    for ask in (audit.finding, audit.__getitem__):
        with pytest.raises(InputError, match="did you mean 'specificity'"):
            ask("specifity")
    with pytest.raises(KeyError) as caught:
        audit.finding("cer", decision="given")
    assert str(caught.value).startswith("no finding cer with group='all', decision='given'")


def test_it_shows_itself_in_ten_lines(audit):
    text = repr(audit)
    assert len(text.splitlines()) <= 10
    assert max(map(len, text.splitlines())) < 100
    assert text.splitlines()[0] == "Audit of table: 140 cases"
    assert "Critical error rate" in text
    assert "warnings" in text.splitlines()[-1]


def test_audits_and_comparisons_are_pickled(audit):
    again = pickle.loads(pickle.dumps(audit))
    assert again.to_json() == audit.to_json()
    both = primum.compare(made_table(200), made_table(200), severity="phantom", bootstrap=100)
    assert pickle.loads(pickle.dumps(both)).to_json() == both.to_json()
    assert repr(both).splitlines()[0] == "Comparison, second − first: 140 cases"


def test_a_comparison_is_read_back(tmp_path: Path):
    both = primum.compare(made_table(200), made_table(200), severity="phantom", bootstrap=100)
    both.to_json(tmp_path / "both.json")
    assert primum.Comparison.from_json(tmp_path / "both.json").to_json() == both.to_json()
    both.first.to_json(tmp_path / "first.json")
    with pytest.raises(InputError, match=r"a comparison of schema primum.comparison/1 was expected"):
        primum.Comparison.from_json(tmp_path / "first.json")
    with pytest.raises(InputError, match=r"an audit of schema primum.audit/1 was expected"):
        primum.Audit.from_json(tmp_path / "both.json")


def test_the_findings_as_a_pandas_frame(audit, monkeypatch: pytest.MonkeyPatch):
    frame = audit.to_pandas()
    assert len(frame) == len(audit.findings)
    assert set(frame.columns) >= {"code", "value", "low", "high", "group"}
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="to_pandas needs pandas"):
        audit.to_pandas()


def test_the_names_of_a_notebook_come_without_torch():
    code = (
        "import sys, primum; light = 'numpy' in sys.modules; "
        "names = [primum.read, primum.Policy, primum.fit_policy, primum.apply_policy, primum.severity.read, "
        "primum.metrics, primum.Finding]; print(light, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_sentences_speak_of_arguments_here_and_of_options_on_the_command_line():
    with pytest.raises(InputError, match=r"^bootstrap: a whole number from 100") as caught:
        primum.audit(made_table(20), bootstrap=5)
    assert caught.value.terminal.startswith("--bootstrap: ")
    assert pickle.loads(pickle.dumps(caught.value)).terminal == caught.value.terminal
