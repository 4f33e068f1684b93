import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.clock import Clock

START = datetime(2013, 1, 1, tzinfo=UTC)


@given(st.lists(st.integers(1, 10_000), max_size=20))
def test_timers_fire_in_the_order_they_are_due_and_never_early(delays):
    clock, seen = Clock(START), []
    for delay in delays:
        clock.at(START + timedelta(minutes=delay), lambda delay=delay: seen.append((delay, clock.now())))
    clock.advance(START + timedelta(minutes=20_000))
    assert [delay for delay, _ in seen] == sorted(delays)
    assert all(now >= START + timedelta(minutes=delay) for delay, now in seen)


def test_a_timer_armed_by_a_timer_fires_within_the_same_advance():
    clock, fired = Clock(START), []

    def monthly():
        fired.append(clock.now().date())
        clock.at(clock.now() + timedelta(days=30), monthly)

    clock.at(START + timedelta(days=30), monthly)
    clock.advance(START + timedelta(days=91))
    assert len(fired) == 3


def test_what_a_timer_began_ends_before_the_next_one_fires():
    clock, story = Clock(START), []
    for day in (1, 2):
        clock.at(START + timedelta(days=day), lambda day=day: story.append(f"day {day}"))
    clock.advance(START + timedelta(days=3), settle=lambda: story.append("quiet"))
    assert story == ["quiet", "day 1", "quiet", "day 2", "quiet"]


def test_the_clock_does_not_go_back():
    clock = Clock(START + timedelta(days=1))
    with pytest.raises(ValueError, match="reads 2013-01-02T00:00:00Z and cannot go back to 2013-01-01T00:00:00Z"):
        clock.advance(START)


def test_a_timer_that_fails_stops_neither_the_clock_nor_the_next_timer(caplog):
    clock, fired = Clock(START), threading.Event()
    clock.at(START + timedelta(days=1), lambda: 1 / 0)
    clock.at(START + timedelta(days=2), fired.set)
    clock.advance(START + timedelta(days=3))
    assert fired.is_set()
    assert "a timer failed" in caplog.text


def test_timers_fire_by_themselves_as_time_passes():
    clock, fired = Clock(START), threading.Event()
    threading.Thread(target=clock.run, daemon=True).start()
    clock.at(clock.now() + timedelta(milliseconds=20), fired.set)
    assert fired.wait(5)


def test_while_somebody_waits_the_clock_runs_faster():
    clock, done = Clock(START, time_lapse=36_000), threading.Event()
    threading.Thread(target=clock.run, daemon=True).start()
    clock.expect(START + timedelta(hours=1), done.set)
    assert done.wait(5)
    first, second = clock.now(), clock.now()
    assert first >= START + timedelta(hours=1)
    assert second - first < timedelta(seconds=5)


def test_what_is_called_off_is_not_waited_for():
    clock, fired = Clock(START, time_lapse=36_000), []
    call_off = clock.expect(START + timedelta(hours=1), lambda: fired.append(1))
    assert call_off()
    clock.advance(START + timedelta(hours=2))
    assert not fired
    assert not call_off()
    assert clock.now() - START < timedelta(hours=2, seconds=5)


def test_what_has_happened_cannot_be_called_off():
    clock, fired = Clock(START), []
    call_off = clock.expect(START + timedelta(hours=1), lambda: fired.append(1))
    clock.advance(START + timedelta(hours=1))
    assert fired == [1]
    assert not call_off()
