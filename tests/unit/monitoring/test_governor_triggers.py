"""What events ask the governor for, and that no event's shape is its undoing."""

from contextlib import suppress
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.governor.rules import Trigger
from monitoring.governor.triggers import UnknownEventError, trigger_of
from tests.unit.monitoring.governing import QUALITY, SPEC, alarm, asked, created, event, settled, window

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("happened", "trigger"),
    [
        (created(), Trigger("new-data", "new data flight-delay/labelled/2013-03.parquet")),
        (created(key="other/2013-03.parquet"), None),
        (created(bucket="other"), None),
        (alarm(), Trigger("drift", "alarm drift")),
        (alarm("OK"), None),
        (alarm(name="another-model-drift"), None),
        (window(), Trigger("drift", "window of flight-delay-drift-1", routine=True)),
        (alarm(name="quality"), Trigger("quality", "alarm quality")),
        (window(QUALITY.job_role), Trigger("quality", "window of flight-delay-drift-1", routine=True)),
        (settled("new data a.parquet"), Trigger("new-data", "new data a.parquet", settled=True)),
        (window(role="arn:aws:iam::123456789012:role/another"), None),
        (window(status="InProgress"), None),
        (asked(), Trigger("person", "asked for by ada: new fares")),
        (asked(reason="", by=None), Trigger("person", "asked for: no reason given")),
        (asked("another"), None),
        (event("aws.events", "Scheduled Event", {}), Trigger("schedule", "the schedule")),
    ],
)
def test_events_are_triggers_or_none_of_its_business(happened, trigger):
    assert trigger_of(happened, SPEC) == trigger


def test_an_event_that_no_rule_should_send_is_named():
    with pytest.raises(UnknownEventError, match=r"knows no event 'Object Deleted' from 'aws\.s3'"):
        trigger_of(event("aws.s3", "Object Deleted", {}), SPEC)


def test_what_an_event_lacks_is_said():
    broken = created()
    del broken["detail"]["object"]["key"]
    with pytest.raises(UnknownEventError, match=r"'Object Created' is not as AWS sends it: KeyError: 'key'"):
        trigger_of(broken, SPEC)


@given(
    st.sampled_from([created, alarm, window, asked, settled]),
    st.sampled_from([("detail",), ("detail", "state"), ("detail", "bucket"), ("detail", "object"), ("source",)]),
    JSON,
)
def test_whatever_stands_in_an_event_it_is_a_trigger_nothing_or_told_as_unknown(make, path, value):
    happened = make()
    place = reduce(lambda inside, key: inside.setdefault(key, {}), path[:-1], happened)
    place[path[-1]] = value
    with suppress(UnknownEventError):
        assert isinstance(trigger_of(happened, SPEC), Trigger | None)
