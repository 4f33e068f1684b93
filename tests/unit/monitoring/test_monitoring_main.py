"""The image's command line: what is asked for, and how it ends."""

import pytest

from monitoring.__main__ import main
from tests.unit.monitoring.conftest import SPEC, job


@pytest.mark.parametrize("arguments", [[], ["retrain"], ["drift", "now"]])
def test_an_unknown_command_is_told_the_known_ones(arguments, tmp_path, capsys):
    assert main(arguments, job(tmp_path, SPEC)) == 2
    assert capsys.readouterr().err == "usage: python -m monitoring validate|baseline|drift|quality\n"


def test_a_users_mistake_has_a_message_and_no_traceback(tmp_path, capsys):
    assert main(["baseline"], job(tmp_path, SPEC | {"label": 3})) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert (tmp_path / "output" / "message").read_text().endswith("label is 3: must be str")


def test_a_fault_of_the_image_has_a_short_message_and_its_traceback_in_the_log(tmp_path, capsys, monkeypatch):
    def broken(_job):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("monitoring.validate.run", broken)
    assert main(["validate"], job(tmp_path, SPEC)) == 1
    assert "Traceback" in capsys.readouterr().err
    assert (tmp_path / "output" / "message").read_text() == "validate failed: ZeroDivisionError: division by zero"


def test_the_exit_message_is_cut_at_a_kilobyte_between_characters(tmp_path):
    job(tmp_path, SPEC).say("é" * 1000)
    assert (tmp_path / "output" / "message").read_text(encoding="utf-8") == "é" * 512
