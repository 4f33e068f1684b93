"""Windows that were, replayed against a model's rules for retraining."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config import load_environment, load_model
from infra.plan.simulate import Window, replay

BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
WRONG = "is not a drift report, or CSV with the columns end and drift"
RULES = "retraining: {cooldown_days: 20, max_runs_a_month: 2, drift_windows: {breached: 2, of: 3}}"


@pytest.fixture(scope="module")
def project(new_project):
    project = new_project()
    project.model("churn", RULES)
    return project


@pytest.fixture(scope="module")
def model(project):
    return load_model("churn", load_environment("local", project.root), project.root)


@pytest.fixture
def run(in_process, project, monkeypatch, tmp_path):
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.chdir(tmp_path)
    return partial(in_process, "simulate")


def test_a_csv_is_replayed_with_the_reason_of_every_run_that_would_not_have_been(run, tmp_path):
    rows = ["2013-01-07,true", "2013-01-14,false", "2013-01-21,true", "2013-01-28,true", "2013-02-11,TRUE"]
    (tmp_path / "windows.csv").write_text("\n".join(["end,drift", *rows]))
    code, out, _ = run("churn", "windows.csv")
    told = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert code == 0
    assert told == [
        ["2013-01-07 00:00", "yes", "no", "1 of the last 3 windows breached a threshold, 2 needed"],
        ["2013-01-14 00:00", "", "", ""],
        ["2013-01-21 00:00", "yes", "started", ""],
        ["2013-01-28 00:00", "yes", "no", "the cooldown lasts until 2013-02-10T00:00:00Z"],
        ["2013-02-11 00:00", "yes", "started", ""],
    ]
    assert out.endswith("5 windows, 4 with drift: 2 runs\n")


def test_drift_reports_are_replayed_in_the_order_of_their_windows(run, tmp_path):
    for number, (end, status) in enumerate(
        [("2013-01-21", "drift"), ("2013-01-14", "drift"), ("2013-01-07", "no-drift")]
    ):
        report = {"window": {"start": "2013-01-01T00:00:00Z", "end": f"{end}T00:00:00Z"}, "status": status}
        (tmp_path / f"{number}.json").write_text(json.dumps(report))
    assert run("churn", "0.json", "1.json", "2.json")[1].endswith("3 windows, 2 with drift: 1 runs\n")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("gone.csv", None), "gone.csv: No such file or directory"),
        (("odd.csv", "end,drift\n2013-01-07,perhaps\n"), f"odd.csv {WRONG}"),
        (("late.csv", "end,drift\nsoon,true\n"), f"late.csv {WRONG}"),
        (("short.csv", "end\n2013-01-07\n"), f"short.csv {WRONG}"),
        (("odd.json", "[]"), f"odd.json {WRONG}"),
        (("empty.csv", "end,drift\n"), "there is no window in what was given"),
    ],
)
def test_what_cannot_be_replayed_is_told_in_a_line(run, tmp_path, file, said):
    name, text = file
    if text is not None:
        (tmp_path / name).write_text(text)
    code, _, err = run("churn", name)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(said)


@given(drifted=st.lists(st.booleans(), max_size=40))
def test_no_two_runs_within_the_cooldown_and_none_without_windows_enough(model, drifted):
    windows = [Window(BEGIN + timedelta(days=3 * number), each) for number, each in enumerate(drifted)]
    started = [window.end for window, decision in replay(model, windows) if decision and decision.start]
    assert all(later - earlier >= timedelta(days=20) for earlier, later in pairwise(started))
    for end in started:
        number = (end - BEGIN).days // 3
        assert drifted[number]
        assert sum(drifted[max(0, number - 2) : number + 1]) >= 2
