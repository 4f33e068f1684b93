"""Each kind of rollout as SageMaker takes it."""

import pytest

from infra.config import AllAtOnceRollout, CanaryRollout, LinearRollout, RollingRollout
from infra.constructs.deployment_config import deployment_config


def percent(value):
    return {"type": "CAPACITY_PERCENT", "value": value}


def blue_green(rollout):
    policy = deployment_config(rollout, ["errors"])["blue_green_update_policy"]
    return policy["traffic_routing_configuration"], policy["termination_wait_in_seconds"]


def test_all_at_once_bakes_and_keeps_the_old_fleet_as_long_again():
    routing, last = blue_green(AllAtOnceRollout(bake_seconds=240))
    assert (routing, last) == ({"type": "ALL_AT_ONCE", "wait_interval_in_seconds": 240}, 240)


@pytest.mark.parametrize(
    ("size", "expected"),
    [({}, percent(10)), ({"percent": 25}, percent(25)), ({"instances": 2}, {"type": "INSTANCE_COUNT", "value": 2})],
)
def test_a_canary_has_its_size_and_a_bake_before_and_after_the_rest(size, expected):
    routing, last = blue_green(CanaryRollout(kind="canary", bake_seconds=600, final_bake_seconds=180, **size))
    assert routing == {"type": "CANARY", "wait_interval_in_seconds": 600, "canary_size": expected}
    assert last == 180


def test_a_linear_rollout_bakes_after_each_step():
    routing, last = blue_green(LinearRollout(kind="linear", step_percent=50))
    assert routing == {"type": "LINEAR", "wait_interval_in_seconds": 300, "linear_step_size": percent(50)}
    assert last == 300


def test_a_rolling_update_replaces_batches_and_has_no_second_fleet():
    config = deployment_config(RollingRollout(kind="rolling", batch_percent=20, timeout_seconds=7_200), ["errors"])
    assert "blue_green_update_policy" not in config
    assert config["rolling_update_policy"] == {
        "maximum_batch_size": percent(20),
        "rollback_maximum_batch_size": percent(100),
        "wait_interval_in_seconds": 300,
        "maximum_execution_timeout_in_seconds": 7_200,
    }


@pytest.mark.parametrize(
    "rollout", [AllAtOnceRollout(), CanaryRollout(kind="canary"), RollingRollout(kind="rolling", batch_percent=50)]
)
def test_every_rollout_is_taken_back_by_the_alarms_it_is_given(rollout):
    alarms = deployment_config(rollout, ["a", "b"])["auto_rollback_configuration"]["alarms"]
    assert [alarm["alarm_name"] for alarm in alarms] == ["a", "b"]


@pytest.mark.parametrize(
    ("rollout", "seconds"),
    [
        (AllAtOnceRollout(), 600),
        (CanaryRollout(kind="canary", bake_seconds=600), 1_500),
        (LinearRollout(kind="linear", step_percent=30, bake_seconds=200), 4 * 200 + 300),
        (RollingRollout(kind="rolling", batch_percent=50), 600),
    ],
)
def test_the_waits_of_an_update_add_up(rollout, seconds):
    assert rollout.waiting_seconds == seconds
