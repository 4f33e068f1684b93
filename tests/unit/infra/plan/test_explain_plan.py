"""Committed plans, as Terraform writes them, told in plain words."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli import main
from infra.errors import CheckFailed, UserError
from infra.plan.commands import explain_plan
from infra.plan.document import Plan, read_plan
from infra.plan.effects import TOLD, Effect, effect
from infra.plan.explain import changes, explained, worst

PLANS = Path(__file__).parents[3] / "plans"

MOVED = (
    "- change endpoint `acme-prod-churn`: "
    'endpoint_config_name "acme-prod-churn-1111111111" → "acme-prod-churn-2222222222"'
)


def told(name):
    return "\n".join(explained(read_plan(PLANS / f"{name}.json")))


def plan_of(kind, actions, before=None, after=None, **more):
    change = {"actions": actions, "before": before, "after": after} | more
    resource = {"address": f"{kind}.one", "mode": "managed", "type": kind, "change": change}
    return Plan.model_validate({"format_version": "1.2", "resource_changes": [resource]})


@pytest.mark.parametrize(
    ("name", "downtime"),
    [
        ("new-platform", Effect.NONE),
        ("changed-secret", Effect.NONE),
        ("more-instances", Effect.CAPACITY),
        ("new-release", Effect.SHIFT),
        ("replaced-endpoint", Effect.OUTAGE),
        ("destroyed-registry", Effect.DATA_LOSS),
        ("changed-by-hand", Effect.NONE),
    ],
)
def test_a_plan_has_the_downtime_class_of_its_worst_change(name, downtime):
    assert worst(read_plan(PLANS / f"{name}.json")) is downtime


def test_a_release_is_told_with_its_model_its_downtime_and_what_changes():
    assert told("new-release").splitlines() == [
        "### prod: model churn",
        "",
        f"**{TOLD[Effect.SHIFT]}** (change 3, make 2)",
        "",
        MOVED,
        "- change dashboard `acme-prod-churn`: dashboard_body",
        "- change alarm `acme-prod-churn-latency`: threshold 200 → 150",
        "- make endpoint configuration `acme-prod-churn-2222222222`",
        "- make model `acme-prod-churn-3333333333`",
    ]


def test_a_new_platform_names_its_environment_and_no_model():
    lines = told("new-platform").splitlines()
    assert lines[0] == "### shop: the platform that all models share"
    assert "- make S3 bucket `acme-shop-registry-123456789012`" in lines


def test_what_ends_an_outage_or_loses_data_is_said_at_the_change_itself():
    first, second = told("destroyed-registry").splitlines()[4:6]
    assert first == f"- delete model package group `acme-prod-churn` (**{TOLD[Effect.DATA_LOSS]}**)"
    assert second == f"- delete endpoint `acme-prod-churn` (**{TOLD[Effect.OUTAGE]}**)"


def test_what_was_changed_by_hand_is_told_though_nothing_is_to_change():
    text = told("changed-by-hand")
    assert "Nothing changes." in text
    assert "Not as it was deployed" in text
    assert "acme-prod-churn-9999999999" in text


@given(secret=st.from_regex(r"[0-9]{8}[A-Z]{8}", fullmatch=True))
@pytest.mark.parametrize("mark", [{"value": True}, True])
def test_a_secrets_value_is_never_told(mark, secret):
    values = {"name": "/acme/key", "value": secret}, {"name": "/acme/key", "value": "other"}
    plan = plan_of("aws_ssm_parameter", ["update"], *values, before_sensitive=mark)
    assert secret not in "\n".join(explained(plan))


@pytest.mark.parametrize(
    ("kind", "actions", "downtime"),
    [
        ("aws_s3_bucket", ["delete", "create"], Effect.DATA_LOSS),
        ("aws_s3_bucket", ["update"], Effect.NONE),
        ("aws_sagemaker_endpoint", ["create", "delete"], Effect.OUTAGE),
        ("aws_sagemaker_endpoint", ["create"], Effect.NONE),
        ("aws_sagemaker_endpoint", ["update"], Effect.NONE),
        ("aws_appautoscaling_target", ["create"], Effect.NONE),
        ("aws_appautoscaling_policy", ["delete"], Effect.CAPACITY),
        ("aws_scheduler_schedule", ["delete", "create"], Effect.PAUSE),
        ("aws_vpc_endpoint", ["delete", "create"], Effect.PAUSE),
        ("aws_iam_role", ["delete"], Effect.NONE),
    ],
)
def test_the_downtime_class_is_of_the_type_and_of_what_happens_to_it(kind, actions, downtime):
    (change,) = changes(plan_of(kind, actions, {"name": "x"}, {"name": "x"}))
    assert effect(change) is downtime


def test_data_sources_and_what_stays_are_no_changes():
    assert changes(plan_of("aws_s3_bucket", ["no-op"])) == []
    assert changes(plan_of("aws_s3_bucket", ["read"])) == []


def test_plans_with_changes_come_first(capsys):
    explain_plan([PLANS / "changed-by-hand.json", PLANS / "new-release.json"])
    headings = capsys.readouterr().out
    assert headings.index("traffic moves") < headings.index("Nothing changes")


def test_where_no_change_is_expected_one_is_a_failed_check():
    explain_plan([PLANS / "changed-by-hand.json"], expect_none=True)
    with pytest.raises(CheckFailed, match="1 of 2 stacks are not as declared"):
        explain_plan([PLANS / "changed-by-hand.json", PLANS / "new-release.json"], expect_none=True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is no plan: the file: Invalid JSON"),
        ("{}", "is no plan: format_version: Field required"),
        (json.dumps({"format_version": "2.0"}), "is of format 2.0, but only format 1 is known here"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_file_and_the_way_to_make_one(tmp_path, content, problem):
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_plan(path)
    assert str(caught.value).startswith(f"{path}: {problem}")


def test_a_file_that_is_not_there_is_the_users_mistake(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["explain-plan", "missing.json"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("missing.json: No such file or directory: write it with")
