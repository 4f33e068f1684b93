"""What brings events to the governor, and what it is told."""

import json
import re

import pytest

from monitoring.contract import GOVERNOR_SPEC_VARIABLE
from monitoring.governor.rules import Spec

SETTINGS = """
monitoring: {drift: {schedule: weekly, psi_threshold: 0.3}}
retraining:
  drift_windows: {breached: 2, of: 3}
  new_data: {minimum_files: 2, minimum_mb: 0.5}
  schedule: monthly
  max_runs_a_month: 3
"""


@pytest.fixture(scope="module")
def stack(new_project, new_release, synthesize):
    project = new_project()
    project.model("churn", SETTINGS)
    project.lock("churn", new_release(1))
    return synthesize(project)["local-churn"]


def spec(stack):
    return Spec.parse(stack.only("aws_lambda_function")["environment"]["variables"][GOVERNOR_SPEC_VARIABLE])


def rules(stack):
    found = {rule["name"]: rule for rule in stack.all("aws_cloudwatch_event_rule").values()}
    return {name.removeprefix("sagestack-local-churn-"): rule for name, rule in found.items()}


def test_the_governor_can_read_what_it_is_told_in_every_stack(every_stack):
    stacks = [stack for stack in every_stack if stack.all("aws_lambda_function")]
    assert {spec(stack).model for stack in stacks} >= {"flight-delay", "churn", "house-price", "batch-transform"}


def test_its_rules_are_the_model_files(stack):
    told = spec(stack)
    assert (told.breached_windows, told.of_windows, told.window_days) == (2, 3, 7)
    assert (told.minimum_new_files, told.minimum_new_bytes, told.max_runs_a_month) == (2, 500_000, 3)
    assert told.table == stack.only("aws_dynamodb_table")["name"]


def test_it_watches_what_the_drift_alarms_watch_from_the_same_thresholds_on(stack):
    alarms = {alarm["alarm_name"]: alarm for alarm in stack.all("aws_cloudwatch_metric_alarm").values()}
    watched = spec(stack).watched
    assert len(watched) == 2
    for one in watched:
        alarm = alarms[one["alarm"]]
        assert (alarm["metric_name"], alarm["threshold"], alarm["dimensions"]) == (
            one["metric"],
            one["threshold"],
            one["dimensions"],
        )
        assert alarm["comparison_operator"] == "GreaterThanOrEqualToThreshold"


def test_the_ends_of_drift_jobs_are_known_by_the_role_that_only_they_have(stack):
    pattern = json.loads(rules(stack)["window"]["event_pattern"])
    (role,) = pattern["detail"]["RoleArn"]
    assert stack.referred(role)["name"] == "sagestack-local-churn-monitor"
    assert spec(stack).monitor_role == role


def test_time_asks_when_the_schedule_says(stack):
    assert rules(stack)["schedule"]["schedule_expression"] == "cron(0 6 1 * ? *)"


def test_what_is_switched_off_has_no_rule(prod, bare):
    def ends(stack):
        return {re.sub(".*(churn|house-price|flight-delay)-", "", name) for name in rules(stack)}

    assert ends(prod["prod-house-price"]) == {"requested"}
    assert ends(prod["prod-churn"]) == {"requested", "new-data", "drift", "window"}
    assert ends(bare["local-flight-delay"]) == {"requested", "new-data"}


def test_every_rule_may_call_the_governor_and_no_other_may(stack):
    permitted = {one["source_arn"].split(".")[1] for one in stack.all("aws_lambda_permission").values()}
    assert permitted == set(stack.all("aws_cloudwatch_event_rule"))
