"""Policies of the model's file as resources of its stack."""

import pytest

SCALING = """
endpoint:
  scaling:
    min: 2
    max: 20
    policies:
      - {kind: requests, requests_per_second: 80}
      - {kind: cpu}
      - {kind: step, name: rush, metric: {namespace: shop, name: Waiting}, threshold: 5, steps: [{instances: 2}]}
      - {kind: scheduled, name: night, schedule: cron(0 22 * * ? *), timezone: Europe/Berlin, min: 1, max: 4}
"""
QUEUE = """
endpoint: {kind: asynchronous, scaling: {min: 0, max: 4}}
monitoring: {drift: null}
retraining: {on_drift: false}
"""


@pytest.fixture(scope="module")
def stacks(new_project, new_release, synthesize):
    project = new_project()
    for name, extra in (("churn", SCALING), ("queue", QUEUE)):
        project.model(name, extra)
        project.lock(name, new_release(1))
    return synthesize(project)


def policies(stack):
    return {policy["name"].rpartition("-")[2]: policy for policy in stack.all("aws_appautoscaling_policy").values()}


def test_several_policies_act_on_one_target(stacks):
    stack = stacks["local-churn"]
    found = policies(stack)
    assert {name: policy["policy_type"] for name, policy in found.items()} == {
        "requests": "TargetTrackingScaling",
        "cpu": "TargetTrackingScaling",
        "rush": "StepScaling",
    }
    assert len({policy["resource_id"] for policy in found.values()}) == 1


def test_a_step_policy_acts_by_an_alarm_of_its_own_that_tells_nobody(stacks):
    stack = stacks["local-churn"]
    (alarm,) = [one for one in stack.all("aws_cloudwatch_metric_alarm").values() if one["metric_name"] == "Waiting"]
    (action,) = alarm["alarm_actions"]
    assert stack.referred(action)["name"].endswith("-rush")
    assert alarm["dimensions"] == {"EndpointName": "sagestack-local-churn", "VariantName": "main"}
    assert (alarm["threshold"], alarm["evaluation_periods"], "ok_actions" in alarm) == (5, 3, False)


def test_a_schedule_sets_the_targets_bounds_and_terraform_leaves_them_to_it(stacks):
    stack = stacks["local-churn"]
    action = stack.only("aws_appautoscaling_scheduled_action")
    assert action["scalable_target_action"] == {"min_capacity": "1", "max_capacity": "4"}
    assert (action["schedule"], action["timezone"]) == ("cron(0 22 * * ? *)", "Europe/Berlin")
    target = stack.only("aws_appautoscaling_target")
    assert target["lifecycle"]["ignore_changes"] == ["min_capacity", "max_capacity"]


def test_a_queue_is_scaled_by_what_waits_from_none_and_woken_by_the_first_request(stacks):
    stack = stacks["local-queue"]
    found = policies(stack)
    assert set(found) == {"backlog", "awakening"}
    assert stack.only("aws_appautoscaling_target")["min_capacity"] == 0
    variant = stack.only("aws_sagemaker_endpoint_configuration")["production_variants"][0]
    assert variant["initial_instance_count"] == 1
    assert "lifecycle" not in stack.only("aws_appautoscaling_target")
