from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.endpoints.rollout_plan import plan_of, require_same_variants
from infra.local.endpoints.traffic import Traffic
from infra.local.validation import ValidationException

sizes = st.builds(dict, Type=st.just("CAPACITY_PERCENT"), Value=st.integers(10, 50))


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind, **more):
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 60} | more}
    }


def rolling(size, **more):
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 60} | more}


def shares(deployment, count=4):
    return [float(share) for share in plan_of(deployment, {"main": count}).shares]


def test_an_update_without_a_deployment_config_is_all_at_once_and_waits_for_nothing():
    plan = plan_of(None, {"main": 1})
    assert (plan.shares, plan.bake_seconds, plan.termination_wait_seconds, plan.alarms) == ((1,), 0, 0, ())


def test_the_shares_are_those_of_the_configuration():
    assert shares(blue_green("ALL_AT_ONCE")) == [1]
    assert shares(blue_green("CANARY", CanarySize=percent(10))) == [0.1, 1]
    assert shares(blue_green("CANARY", CanarySize=instances(1))) == [0.25, 1]
    assert shares(blue_green("LINEAR", LinearStepSize=percent(40))) == [0.4, 0.8, 1]
    assert shares(rolling(instances(2)), count=5) == [0.4, 0.8, 1]


def test_a_rolling_batch_is_whole_instances():
    assert shares(rolling(percent(30)), count=5) == [0.2, 0.4, 0.6, 0.8, 1]
    assert plan_of(rolling(percent(50), RollbackMaximumBatchSize=percent(30)), {"main": 4}).rollback_step == Fraction(
        1, 4
    )
    assert plan_of(rolling(percent(50)), {"main": 4}).rollback_step == 1


@given(st.sampled_from(["CANARY", "LINEAR", "ROLLING"]), sizes, st.integers(2, 50))
def test_shares_only_grow_and_end_with_everything(kind, size, count):
    size = {"CANARY": {"CanarySize": size}, "LINEAR": {"LinearStepSize": size}}.get(kind, size)
    plan = plan_of(rolling(size) if kind == "ROLLING" else blue_green(kind, **size), {"main": count})
    assert list(plan.shares) == sorted(set(plan.shares))
    assert plan.shares[0] > 0
    assert plan.shares[-1] == 1


@pytest.mark.parametrize(
    ("deployment", "count", "message"),
    [
        (blue_green("CANARY"), 2, "CanarySize must be specified for traffic routing of type CANARY"),
        (blue_green("ALL_AT_ONCE", CanarySize=percent(10)), 2, "CanarySize must be .* and no other"),
        (blue_green("CANARY", CanarySize=percent(60)), 2, "between 0% and 50% of the variant's 2 instances.*60%"),
        (blue_green("CANARY", CanarySize=instances(1)), 1, "between 0% and 50% of the variant's 1 instances.*100%"),
        (blue_green("LINEAR", LinearStepSize=percent(5)), 2, "between 10% and 50%"),
        (rolling(percent(60)), 4, "MaximumBatchSize must be between 5% and 50%"),
        (rolling(instances(1)), 1, "MaximumBatchSize must be between 5% and 50%"),
        (rolling(instances(1)) | blue_green("ALL_AT_ONCE"), 4, "not both"),
    ],
)
def test_what_aws_would_not_follow_is_refused(deployment, count, message):
    with pytest.raises(ValidationException, match=message):
        plan_of(deployment, {"main": count})


def test_several_variants_do_not_roll():
    with pytest.raises(ValidationException, match="one production variant"):
        plan_of(rolling(percent(50)), {"a": 2, "b": 2})


def test_fleets_that_answer_side_by_side_have_the_same_variants():
    canary = plan_of(blue_green("CANARY", CanarySize=percent(10)), {"main": 2})
    require_same_variants(canary, ["main"], ["main"])
    require_same_variants(plan_of(None, {"main": 2}), ["main"], ["other"])
    with pytest.raises(ValidationException, match=r"same variant names.*has other in place of main"):
        require_same_variants(canary, ["main"], ["other"])


@given(st.fractions(0, 1, max_denominator=100), st.integers(0, 500))
def test_a_successor_gets_its_share_of_any_number_of_requests_exactly(share, requests):
    traffic, old, new = Traffic(), object(), object()
    traffic.settle_on(old)
    traffic.share_with(new, share)
    chosen = [traffic.next() for _ in range(requests)]
    assert chosen.count(new) == int(share * requests)
