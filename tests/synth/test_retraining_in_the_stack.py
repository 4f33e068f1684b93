"""What brings events to the governor, and what it is told."""

import fnmatch
import json
import re
from datetime import UTC, datetime

import pytest

from monitoring.contract import GOVERNOR_SPEC_VARIABLE
from monitoring.governor.rules import Spec

SETTINGS = """
monitoring: {drift: {schedule: weekly, psi_threshold: 0.3}}
retraining:
  drift_windows: {breached: 2, of: 3}
  new_data: {debounce_minutes: 30, minimum_files: 2, minimum_mb: 0.5}
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


def statements(stack, role):
    """What a role may do, by action."""
    (policy,) = (one for one in stack.all("aws_iam_role_policy").values() if one["name"] == role)
    found = json.loads(policy["policy"])["Statement"]
    return {action: one["Resource"] for one in found for action in one["Action"]}


def rules(stack, base="sagestack-local-churn-"):
    found = {rule["name"]: rule for rule in stack.all("aws_cloudwatch_event_rule").values()}
    return {name.removeprefix(base): rule for name, rule in found.items()}


def test_the_governor_can_read_what_it_is_told_in_every_stack(every_stack):
    stacks = [stack for stack in every_stack if stack.all("aws_lambda_function")]
    assert {spec(stack).model for stack in stacks} >= {"flight-delay", "churn", "house-price", "batch-transform"}


def test_its_rules_are_the_model_files(stack):
    told = spec(stack)
    (drift,) = told.watches
    assert (drift.kind, drift.breached, drift.of, drift.window_days) == ("drift", 2, 3, 7)
    assert (told.new_data.minimum_files, told.new_data.minimum_bytes, told.max_runs_a_month) == (2, 500_000, 3)
    assert told.table == stack.only("aws_dynamodb_table")["name"]


def test_it_watches_what_the_drift_alarms_watch_from_the_same_thresholds_on(stack):
    alarms = {alarm["alarm_name"]: alarm for alarm in stack.all("aws_cloudwatch_metric_alarm").values()}
    watched = spec(stack).watch("drift").alarms
    assert len(watched) == 2
    for one in watched:
        alarm = alarms[one.name]
        seen = (alarm["namespace"], alarm["metric_name"], alarm["dimensions"], alarm["threshold"])
        assert seen == (one.series.namespace, one.series.metric, one.series.dimensions, one.threshold)
        assert (alarm["comparison_operator"], one.comparison) == ("GreaterThanOrEqualToThreshold", "at least")


def test_the_ends_of_drift_jobs_are_known_by_the_role_that_only_they_have(stack):
    pattern = json.loads(rules(stack)["window"]["event_pattern"])
    (role,) = pattern["detail"]["RoleArn"]
    assert stack.referred(role)["name"] == "sagestack-local-churn-monitor"
    assert spec(stack).watch("drift").job_role == role


def test_new_data_is_put_off_by_schedules_that_may_only_call_the_governor(stack):
    debounce = spec(stack).new_data.debounce
    assert (debounce.minutes, debounce.schedules) == (30, "sagestack-local-churn")
    assert debounce.function.endswith(f":function:{stack.only('aws_lambda_function')['function_name']}")
    role = stack.referred(debounce.role)
    assert json.loads(role["assume_role_policy"])["Statement"][0]["Principal"] == {"Service": "scheduler.amazonaws.com"}
    allowed = statements(stack, role["name"])
    assert allowed["lambda:InvokeFunction"] == [debounce.function]
    assert allowed["sqs:SendMessage"] == [debounce.undecided]
    assert {action.split(":")[0] for action in allowed} == {"lambda", "sqs", "kms"}
    governor = statements(stack, "sagestack-local-churn-governor")
    assert governor["iam:PassRole"] == [debounce.role]
    (schedules,) = governor["scheduler:CreateSchedule"]
    name = f"{debounce.schedules}-{datetime(2013, 4, 1, tzinfo=UTC):%y%m%d%H%M}"
    assert fnmatch.fnmatchcase(f"arn:aws:scheduler:us-east-1:123456789012:schedule/default/{name}", schedules)
    assert not fnmatch.fnmatchcase(
        "arn:aws:scheduler:us-east-1:123456789012:schedule/default/sagestack-local-churn-drift", schedules
    )


def test_what_a_months_runs_may_cost_is_told_with_the_price_of_their_machines_hour(stack, new_project, synthesize):
    project = new_project()
    project.model("churn", "retraining: {max_usd_a_month: 20}")
    capped = synthesize(project)["local-churn"]
    told = spec(capped)
    assert (told.cost_cap.max_usd_a_month, told.cost_cap.usd_an_hour) == (20, 0.23)
    steps = "sagemaker:ListPipelineExecutionSteps"
    (runs,) = statements(capped, "sagestack-local-churn-governor")[steps]
    assert runs.endswith(":pipeline/sagestack-local-churn/execution/*")
    assert steps not in statements(stack, "sagestack-local-churn-governor")


def test_only_where_its_file_says_so_may_a_models_governor_approve_and_only_its_own_versions(
    stack, new_project, synthesize
):
    project = new_project()
    gates = "{minimum: 0.7, champion_margin: 0.02, started_by: [drift, new-data], max_a_month: 3}"
    project.model("churn", f"retraining: {{auto_approve: {gates}}}")
    approving = synthesize(project)["local-churn"]
    told = spec(approving).auto_approval
    assert (told.metric, told.higher_is_better, told.limit, told.champion_margin) == ("auc", True, 0.7, 0.02)
    assert (set(told.started_by), told.max_a_month) == ({"drift", "new-data"}, 3)
    pattern = json.loads(rules(approving)["registered"]["event_pattern"])["detail"]
    assert pattern == {
        "ModelPackageGroupName": [approving.only("aws_sagemaker_model_package_group")["model_package_group_name"]],
        "ModelApprovalStatus": ["PendingManualApproval"],
    }
    allowed = statements(approving, "sagestack-local-churn-governor")
    packages = "arn:aws:sagemaker:us-east-1:123456789012:model-package/sagestack-local-churn/*"
    assert allowed["sagemaker:UpdateModelPackage"] == [packages]
    (runs,) = allowed["s3:GetObject"]
    assert runs.endswith("-registry-123456789012/churn/runs/*")
    assert (spec(stack).auto_approval, "registered" in rules(stack)) == (None, False)
    assert (
        not {"sagemaker:UpdateModelPackage", "s3:GetObject"}
        & statements(stack, "sagestack-local-churn-governor").keys()
    )


def test_only_where_rows_are_asked_for_may_the_governor_read_data_and_its_own_models_alone(
    stack, new_project, synthesize
):
    project = new_project()
    project.model("churn", "retraining: {new_data: {minimum_rows: 5000}}")
    counting = synthesize(project)["local-churn"]
    assert (spec(counting).new_data.minimum_rows, spec(stack).new_data.minimum_rows) == (5000, 0)
    data = ["arn:aws:s3:::sagestack-local-data-123456789012/churn/labelled/*"]
    assert statements(counting, "sagestack-local-churn-governor")["s3:GetObject"] == data
    assert "s3:GetObject" not in statements(stack, "sagestack-local-churn-governor")


def test_without_a_debounce_the_governor_makes_no_schedule(new_project, synthesize):
    project = new_project()
    project.model("churn", "retraining: {new_data: {debounce_minutes: 0}}")
    stack = synthesize(project)["local-churn"]
    assert spec(stack).new_data.debounce is None
    assert not {"scheduler:CreateSchedule", "iam:PassRole"} & statements(stack, "sagestack-local-churn-governor").keys()


def test_lambda_takes_the_longest_that_a_governor_is_told(every_stack):
    for stack in every_stack:
        for function in stack.all("aws_lambda_function").values():
            text = json.dumps(function["environment"]["variables"])
            assert len(re.sub(r"\$\{[^}]*\}", "a" * 100, text)) < 4_096


def test_time_asks_when_the_schedule_says(stack):
    assert rules(stack)["schedule"]["schedule_expression"] == "cron(0 6 1 * ? *)"


def test_quality_asks_as_drift_does_and_the_ends_of_both_jobs_are_listened_to(prod):
    stack = prod["prod-churn"]
    alarm = {one["alarm_name"]: one for one in stack.all("aws_cloudwatch_metric_alarm").values()}[
        "acme-prod-churn-quality"
    ]
    watch = spec(stack).watch("quality")
    (asking,) = watch.alarms
    assert (asking.name, asking.comparison, asking.threshold) == (alarm["alarm_name"], "below", alarm["threshold"])
    assert (asking.series.metric, asking.series.dimensions) == (alarm["metric_name"], alarm["dimensions"])
    assert json.loads(rules(stack, "acme-prod-churn-")["quality"]["event_pattern"])["detail"]["alarmName"] == [
        asking.name
    ]
    listened = json.loads(rules(stack, "acme-prod-churn-")["window"]["event_pattern"])["detail"]["RoleArn"]
    assert set(listened) == {one.job_role for one in spec(stack).watches}
    assert len(listened) == 2


def test_what_is_switched_off_has_no_rule(prod, bare):
    def ends(stack):
        return {re.sub(".*(churn|house-price|flight-delay)-", "", name) for name in rules(stack)}

    assert ends(prod["prod-house-price"]) == {"requested"}
    assert ends(prod["prod-churn"]) == {"requested", "new-data", "drift", "quality", "window", "registered"}
    assert ends(bare["local-flight-delay"]) == {"requested", "new-data"}


def test_every_rule_may_call_the_governor_and_no_other_may(stack):
    permitted = {one["source_arn"].split(".")[1] for one in stack.all("aws_lambda_permission").values()}
    assert permitted == set(stack.all("aws_cloudwatch_event_rule"))
