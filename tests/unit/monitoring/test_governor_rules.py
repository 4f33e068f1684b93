"""The governor's rules: a run is started when all allow one, and the first that does not is the reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.contract import STARTED_BY
from monitoring.governor.rules import IN_FLIGHT, Costs, Decision, Run, Situation, Trigger, decide
from monitoring.governor.spec import CostCap
from tests.unit.monitoring.governing import SPEC, of_new_data, of_windows

NOW = datetime(2013, 4, 1, tzinfo=UTC)
STATUSES = ("Executing", "Stopping", "Stopped", "Failed", "Succeeded")
RUNS = st.lists(
    st.builds(Run, st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)), st.sampled_from(STATUSES)),
    max_size=5,
)
TRIGGERS = st.sampled_from([Trigger(name, "it happened") for name in STARTED_BY])


def decided(trigger="new-data", *runs, new_files=3, spec=SPEC, now=NOW, **more):
    situation = Situation(runs, new_files, **{"new_bytes": 9, "windows": (True,)} | more)
    return decide(Trigger(trigger, "it happened"), now, situation, spec)


def given_runs(trigger, now, runs, new_files):
    return decide(trigger, now, Situation(runs, new_files, 9, windows=(True,)), SPEC)


def ago(days, status="Succeeded"):
    return Run(NOW - timedelta(days=days), status)


def test_the_first_run_starts_when_there_are_files_enough():
    assert not decided(new_files=2).start
    assert decided(new_files=3) == Decision(start=True, reason="it happened", started_by="new-data")


def test_the_cooldown_ends_on_its_last_day():
    assert decided("drift", ago(75)).start
    refused = decided("drift", ago(74.99))
    assert not refused.start
    assert refused.until == ago(74.99).started + timedelta(days=75)
    assert "the cooldown lasts until 2013-04-01T00:14:24Z" in refused.reason


def test_a_person_passes_the_cooldown_but_no_run_in_flight():
    assert decided("person", ago(1)).start
    assert "still in flight" in decided("person", ago(1, "Executing")).reason


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_run_that_came_to_nothing_does_not_block_the_next(status):
    assert decided("drift", ago(1, status)).start
    assert not decided("drift", ago(1, status), ago(30)).start


def test_the_configuration_switches_triggers_off():
    quiet = replace(SPEC, watches=(), new_data=None)
    assert "drift starts nothing" in decided("drift", spec=quiet).reason
    assert "quality starts nothing" in decided("quality", spec=quiet).reason
    assert "new data starts nothing" in decided("new-data", spec=quiet).reason
    assert decided("person", spec=quiet).start


@pytest.mark.parametrize(
    ("windows", "starts"),
    [
        ("B", False),
        ("BB", True),
        ("B.B", True),
        ("BB.", False),  # enough breached, but the newest did not: the world is back
        ("B..B", False),
        ("..BB", True),
        ("", False),
    ],
)
def test_drift_starts_a_run_once_enough_of_the_last_windows_breached_and_the_newest_did(windows, starts):
    spec = of_windows(2, 3)
    decision = decided("drift", windows=tuple(window == "B" for window in windows), spec=spec)
    assert decision.start is starts
    assert starts or "window" in decision.reason


def test_new_data_must_have_its_size_too():
    spec = of_new_data(minimum_bytes=10)
    assert "9 new bytes since the last run was started, 10 needed" in decided(spec=spec).reason
    assert decided(spec=spec, new_bytes=10).start


@pytest.mark.parametrize("trigger", STARTED_BY)
def test_a_hold_stops_everybody_and_says_who_holds_and_why(trigger):
    assert decided(trigger, hold="labels are wrong (ada, 2013-03-30)").reason == (
        "it happened: on hold: labels are wrong (ada, 2013-03-30)"
    )


@pytest.mark.parametrize("trigger", STARTED_BY)
def test_the_months_runs_are_used_up_for_everybody_until_the_next_month(trigger):
    spec = replace(SPEC, max_runs_a_month=2, cooldown_days=0)
    runs = [Run(NOW + timedelta(days=days), "Failed") for days in (0, 3)]
    refused = decided(trigger, *runs, spec=spec, now=NOW + timedelta(days=20))
    assert "2 run(s) in 2013-04 already, 2 allowed a month" in refused.reason
    assert refused.until == datetime(2013, 5, 1, tzinfo=UTC)
    assert decided(trigger, *runs, spec=spec, now=NOW + timedelta(days=30)).start


@pytest.mark.parametrize("trigger", STARTED_BY)
def test_nobody_passes_the_months_costs_and_the_reason_says_the_figures(trigger):
    spec = replace(SPEC, cost_cap=CostCap(max_usd_a_month=5, usd_an_hour=0.23))
    assert decided(trigger, spec=spec, costs=Costs(3.75, 1.25)).start
    refused = decided(trigger, spec=spec, costs=Costs(3.75, 1.26))
    assert refused.reason.endswith(
        "runs in 2013-04 have cost about $3.75, another is expected to cost $1.26, and $5.00 are allowed a month"
    )
    assert refused.until == datetime(2013, 5, 1, tzinfo=UTC)
    assert decided(trigger, spec=spec, costs=Costs(9, 5.01)).until is None  # no month would be better
    assert decided(trigger, costs=Costs(1e9, 1e9)).start


def test_an_event_of_last_month_that_comes_late_counts_for_the_month_in_which_it_would_start():
    spec = replace(SPEC, max_runs_a_month=1, cooldown_days=0)
    refused = decided("person", Run(NOW, "Succeeded"), spec=spec, now=NOW - timedelta(minutes=1))
    assert "1 run(s) in 2013-04 already" in refused.reason


DELIVERIES = st.lists(
    st.tuples(TRIGGERS, st.integers(0, 240), st.integers(0, 6), st.sampled_from(["Succeeded", "Failed"])), max_size=60
)
"""Triggers as they come: on whose behalf, in which hour, how many hours late, and what a run would come to."""


@given(DELIVERIES, st.integers(0, 9), st.integers(1, 4))
def test_whatever_comes_in_whatever_order_no_limit_is_ever_passed(deliveries, cooldown_days, max_runs):
    spec = replace(SPEC, cooldown_days=cooldown_days, max_runs_a_month=max_runs)
    begin, runs, bidden = datetime(2013, 3, 27, tzinfo=UTC), [], []
    for trigger, hour, late, becomes in sorted(deliveries, key=lambda each: each[1]):
        arrives = begin + timedelta(hours=hour)
        if decide(trigger, arrives - timedelta(hours=late), Situation(runs, 3, 9, windows=(True,)), spec).start:
            bidden.append((trigger.started_by, arrives, [run for run in runs if run.status == "Succeeded"]))
            runs.append(Run(arrives, becomes))
    for started_by, at, before in bidden:
        assert started_by == "person" or all(at - run.started >= timedelta(days=cooldown_days) for run in before)
    for month in (3, 4):
        assert sum(run.started.month == month for run in runs) <= max_runs


def test_a_clock_that_went_back_starts_nothing_before_the_cooldown_of_what_has_run():
    assert "the cooldown lasts until" in decided("drift", ago(-30)).reason
    assert decided("person", ago(-30)).start


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_no_trigger_starts_a_second_run(trigger, runs, new_files):
    running = Run(NOW - timedelta(hours=1), IN_FLIGHT[new_files % 2])
    assert not given_runs(trigger, NOW, [*runs, running], new_files).start


@given(TRIGGERS, RUNS, st.integers(0, 74))
def test_only_a_person_starts_a_run_within_the_cooldown(trigger, runs, days):
    decision = given_runs(trigger, NOW, [*runs, ago(days)], 9)
    assert not decision.start or trigger.started_by == "person"


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_every_trigger_starts_a_run_sooner_or_later(trigger, runs, new_files):
    over = [Run(run.started, "Failed") if run.status in IN_FLIGHT else run for run in runs]
    later = NOW + timedelta(days=75)
    assert given_runs(trigger, later, over, new_files + 3).start


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_a_reason_that_says_until_when_is_gone_then_and_not_a_second_before(trigger, runs, new_files):
    refused = given_runs(trigger, NOW, runs, new_files)
    if refused.until is not None:
        said = refused.reason.removeprefix("it happened: ")
        assert said in given_runs(trigger, refused.until - timedelta(seconds=1), runs, new_files).reason
        assert said not in given_runs(trigger, refused.until, runs, new_files).reason


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_the_order_of_runs_does_not_matter(trigger, runs, new_files):
    first = given_runs(trigger, NOW, sorted(runs, key=lambda run: (run.started, run.status)), new_files)
    assert given_runs(trigger, NOW, runs, new_files).start == first.start


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_every_decision_names_what_happened_and_who_asked(trigger, runs, new_files):
    decision = given_runs(trigger, NOW, runs, new_files)
    assert decision.reason.startswith("it happened")
    assert decision.started_by == trigger.started_by
    assert decision.start == (decision.reason == "it happened")
