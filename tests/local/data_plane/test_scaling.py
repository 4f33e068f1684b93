"""Policies and schedules that move capacity: what real invocations and the clock make of them."""

import re

import pytest
from botocore.exceptions import ClientError

from tests.local.data_plane.scaled import Scaling


@pytest.fixture
def scaling(served, unique):
    """The module's endpoint, an hour after the last test, and a target no more when this one ends."""
    scaling = Scaling(served, unique)
    served.cloud.advance(seconds=3600)
    yield scaling
    if scaling.targets():
        scaling.register(least=1, most=1)
        scaling.client.deregister_scalable_target(**scaling.identity)


def alarm_of(scaling, policy, side):
    (name,) = [row["AlarmName"] for row in policy["Alarms"] if f"Alarm{side}" in row["AlarmName"]]
    (alarm,) = scaling.live.cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm


def test_target_tracking_makes_its_two_alarms_and_takes_them_away_with_it(scaling):
    scaling.register()
    policy = scaling.track(100)
    high, low = alarm_of(scaling, policy, "High"), alarm_of(scaling, policy, "Low")
    assert re.fullmatch(rf"TargetTracking-{scaling.resource_id}-AlarmHigh-[0-9a-f-]{{36}}", high["AlarmName"])
    arn = re.escape(policy["PolicyARN"])
    assert re.match(rf"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}", high["AlarmDescription"])
    watched = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold")
    assert [high[key] for key in watched] == ["InvocationsPerInstance", "Sum", 60, 3, "GreaterThanThreshold", 100]
    assert [low[key] for key in watched] == ["InvocationsPerInstance", "Sum", 60, 15, "LessThanThreshold", 90]
    assert high["AlarmActions"] == low["AlarmActions"] == [policy["PolicyARN"]]
    scaling.client.delete_scaling_policy(**scaling.identity, PolicyName="requests")
    names = [high["AlarmName"], low["AlarmName"]]
    assert not scaling.live.cloud.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]


def test_traffic_scales_out_and_silence_scales_in_again(scaling):
    scaling.register(most=3)
    scaling.track(4, ScaleInCooldown=60, ScaleOutCooldown=60)
    scaling.traffic(6, minutes=2)
    assert scaling.instances() == 1
    scaling.traffic(6)
    assert (scaling.instances(), scaling.processes()) == (2, 2)
    (out,) = scaling.activities()
    assert (out["Description"], out["StatusCode"]) == ("Setting desired instance count to 2.", "Successful")
    assert re.search(
        r"^monitor alarm TargetTracking-.*AlarmHigh.* in state ALARM triggered policy requests$", out["Cause"]
    )
    scaling.live.cloud.advance(seconds=14 * 60)
    assert scaling.instances() == 2
    scaling.live.cloud.advance(seconds=4 * 60)
    assert (scaling.instances(), scaling.processes()) == (1, 1)
    assert [row["Description"][-2:] for row in scaling.activities()] == ["1.", "2."]
    scaling.live.cloud.advance(seconds=86_400 * 30)
    assert len(scaling.activities()) == 2


def test_a_burst_scales_out_as_far_as_it_takes_and_no_further_than_the_maximum(scaling):
    scaling.register(most=3)
    scaling.track(2, ScaleOutCooldown=0)
    scaling.traffic(9, minutes=3)
    assert scaling.instances() == 3
    scaling.traffic(9, minutes=3)
    assert scaling.instances() == 3
    (newest, *_) = scaling.activities(IncludeNotScaledActivities=True)
    assert newest["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3, "CurrentCapacity": 3}]
    assert len(scaling.activities()) == 1


def test_a_cooldown_holds_the_next_activity_back(scaling):
    scaling.register(most=4)
    arn = scaling.step([{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}], Cooldown=300)
    scaling.ring("load", arn)
    assert scaling.instances() == 2
    for _ in range(4):
        scaling.pass_minute()
        scaling.publish("load", 11)
    assert scaling.instances() == 2
    for _ in range(2):
        scaling.pass_minute()
        scaling.publish("load", 11)
    assert scaling.instances() == 3


def test_steps_scale_by_how_far_the_metric_is_beyond_its_threshold(scaling):
    scaling.register(most=4)
    arn = scaling.step(
        [
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 2},
        ]
    )
    scaling.ring("load", arn, value=40)
    assert scaling.instances() == 3
    assert "triggered policy steps" in scaling.activities()[0]["Cause"]


def test_a_policy_follows_any_metric_and_scales_in_only_if_it_may(scaling):
    scaling.register(least=1, most=4)
    metric = {"MetricName": "queue", "Namespace": scaling.namespace, "Statistic": "Average"}
    config = {"TargetValue": 5.0, "CustomizedMetricSpecification": metric, "DisableScaleIn": True}
    policy = scaling.put("queue", "TargetTrackingScaling", config)
    assert len(policy["Alarms"]) == 1
    for _ in range(3):
        scaling.publish("queue", 9)
        scaling.pass_minute()
    assert scaling.instances() == 2


def test_processors_that_are_busy_scale_out_and_idle_ones_scale_in(scaling):
    """The policy is the one that `kind: cpu` becomes; five per cent of a core are reached on a busy machine too."""
    scaling.register(least=1, most=2)
    metric = {
        "Namespace": "/aws/sagemaker/Endpoints",
        "MetricName": "CPUUtilization",
        "Statistic": "Average",
        "Dimensions": [
            {"Name": "EndpointName", "Value": scaling.live.name},
            {"Name": "VariantName", "Value": "main"},
        ],
    }
    config = {"TargetValue": 5.0, "CustomizedMetricSpecification": metric, "ScaleInCooldown": 60}
    scaling.put("cpu", "TargetTrackingScaling", config)
    for _ in range(4):
        scaling.pass_minute()
    assert scaling.instances() == 1
    for _ in range(4):
        scaling.live.invoke(b"busy 0.4")
        scaling.pass_minute()
    assert (scaling.instances(), scaling.processes()) == (2, 2)
    for _ in range(20):
        scaling.pass_minute()
    assert scaling.instances() == 1


def test_concurrent_requests_scale_within_half_a_minute(scaling):
    scaling.register(most=2)
    metric = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    config = {"TargetValue": 0.000_01, "PredefinedMetricSpecification": metric}
    policy = scaling.put("concurrency", "TargetTrackingScaling", config)
    assert (alarm_of(scaling, policy, "High")["Period"], alarm_of(scaling, policy, "Low")["EvaluationPeriods"]) == (
        10,
        90,
    )
    for _ in range(4):
        scaling.live.ask()
        scaling.live.cloud.advance(seconds=10)
    assert scaling.instances() == 2


def test_a_schedule_moves_the_bounds_and_they_the_capacity(scaling):
    scaling.register(least=1, most=4)
    scaling.client.put_scheduled_action(
        **scaling.identity,
        ScheduledActionName="morning",
        Schedule="cron(0 8 * * ? *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
    )
    scaling.live.cloud.advance(seconds=86_400)
    assert scaling.instances() == 2
    newest, before = scaling.activities()
    assert newest["Cause"] == "minimum capacity was set to 2"
    assert before["Cause"] == "scheduled action name morning was triggered"
    (action,) = scaling.client.describe_scheduled_actions(ServiceNamespace="sagemaker", ResourceId=scaling.resource_id)[
        "ScheduledActions"
    ]
    assert action["Timezone"] == "Europe/Berlin"
    scaling.client.delete_scheduled_action(**scaling.identity, ScheduledActionName="morning")
    scaling.register(least=1, most=1)
    assert scaling.instances() == 1
    scaling.live.cloud.advance(seconds=86_400)
    assert scaling.instances() == 1


def test_what_is_suspended_does_not_scale(scaling):
    scaling.register(SuspendedState={"DynamicScalingOutSuspended": True})
    arn = scaling.step([{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}])
    scaling.ring("load", arn)
    assert scaling.instances() == 1


def test_an_update_under_way_is_scaled_once_it_is_over(scaling):
    live = scaling.live
    scaling.register()
    arn = scaling.step([{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}])
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 3600}
    live.update("v1", DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}})
    scaling.ring("load", arn)
    assert scaling.instances() == 1
    assert "Cannot update in-progress endpoint" in scaling.activities()[0]["StatusMessage"]
    live.cloud.advance(seconds=3600)
    scaling.publish("load", 11)
    assert scaling.instances() == 2


def test_what_hangs_on_a_target_goes_with_it(scaling):
    scaling.register()
    policy = scaling.track(100)
    scaling.client.deregister_scalable_target(**scaling.identity)
    found = scaling.client.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=scaling.resource_id)
    assert not found["ScalingPolicies"]
    names = [row["AlarmName"] for row in policy["Alarms"]]
    assert not scaling.live.cloud.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    with pytest.raises(ClientError, match=r"ObjectNotFoundException.*No scalable target registered"):
        scaling.client.deregister_scalable_target(**scaling.identity)


def test_a_targets_tags_are_kept_changed_and_taken_away(scaling):
    client, arn = scaling.client, scaling.register(Tags={"owner": "a"})
    client.tag_resource(ResourceARN=arn, Tags={"owner": "b", "more": "c"})
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"owner": "b", "more": "c"}
    client.untag_resource(ResourceARN=arn, TagKeys=["more"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"owner": "b"}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.list_tags_for_resource(ResourceARN=f"{arn[:-3]}abc")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "ValidationException.*variant doesn't exist: endpoint/nobody/variant/main"),
        ({"ResourceId": "nonsense"}, "ValidationException.*Unsupported service namespace"),
        ({"ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"}, "UnsupportedOperation"),
        ({"ServiceNamespace": "dynamodb"}, "UnsupportedOperation.*ServiceNamespace dynamodb; use sagemaker"),
    ],
)
def test_a_target_that_cannot_be_scaled_is_refused(cloud, change, message):
    identity = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/nobody/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    with pytest.raises(ClientError, match=message):
        cloud.client("application-autoscaling").register_scalable_target(
            **{**identity, "MinCapacity": 1, "MaxCapacity": 2, **change}
        )


def test_bounds_and_policies_that_contradict_themselves_are_refused(scaling):
    with pytest.raises(ClientError, match=r"ValidationException.*Maximum capacity cannot be less"):
        scaling.register(least=3, most=2)
    scaling.register()
    with pytest.raises(ClientError, match=r"ValidationException.*Exactly one of Predefined"):
        scaling.put("policy", "TargetTrackingScaling", {"TargetValue": 1.0})
    scaling.track(100)
    with pytest.raises(ClientError, match=r"ValidationException.*cannot change the type of policy requests"):
        scaling.step([{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}], name="requests")


def test_an_endpoint_that_is_deleted_is_no_target_any_more(scaling):
    scaling.register()
    scaling.live.delete()
    assert not scaling.targets()
