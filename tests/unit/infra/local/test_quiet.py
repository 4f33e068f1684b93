from datetime import UTC, datetime, timedelta

import pytest

from infra.local.clock import Clock
from infra.local.endpoints.quiet import Quiet

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = ("endpoint", "main")


@pytest.fixture
def clock():
    return Clock(START)


@pytest.fixture
def said(clock):
    said = []
    return said, Quiet(clock, lambda _key, minute: said.append(int((minute - START) / MINUTE)))


def test_so_many_minutes_are_told_of_each_when_it_is_over(clock, said):
    told, quiet = said
    quiet.begin(KEY, START, 3)
    clock.advance(START + 1.5 * MINUTE)
    assert told == [0]
    clock.advance(START + 10 * MINUTE)
    assert told == [0, 1, 2]


def test_begun_anew_in_the_last_minute_of_before_it_is_told_of_as_many_again(clock, said):
    told, quiet = said
    quiet.begin(KEY, START, 2)
    clock.advance(START + 1.5 * MINUTE)
    quiet.begin(KEY, START + MINUTE, 3)
    clock.advance(START + 10 * MINUTE)
    assert told == [0, 1, 2, 3]


def test_what_is_called_off_is_not_told(clock, said):
    told, quiet = said
    quiet.begin(KEY, START, 3)
    clock.advance(START + 1.5 * MINUTE)
    quiet.end(KEY)
    clock.advance(START + 10 * MINUTE)
    assert told == [0]
