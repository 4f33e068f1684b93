"""Each of the project's own rules finds what breaks it, and nothing else."""

import json
import re
from pathlib import Path

import pytest

from infra.config import load_environment
from infra.errors import CheckFailed
from infra.plan.checkov import checkov_findings, findings
from infra.plan.offline import Plan, PlannedResource, offline
from infra.plan.policy import NO_RESOURCE, RULES, policy_findings
from infra.toolchain import PROJECT, ToolMissing

TAGS = {"environment": "prod", "managed-by": "sagestack", "owner": "growth", "cost-centre": "42", "model": "churn"}
SERVICE = {"Service": "sagemaker.amazonaws.com"}
RUNBOOK = "[critical] Many errors. Runbook: docs/runbooks/endpoint-errors.md"
IMAGE = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/acme-prod/serving"


def found(type_, stack="prod-churn", **values):
    plan = Plan(stack, Path("plan.json"), (PlannedResource(stack, type_, "one", values),))
    return [finding.rule.removeprefix("sagestack-") for finding in policy_findings([plan])]


def granting(*actions, resource="arn:aws:s3:::b/*", **more):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trusting(principal, **more):
    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more]})


HELD = {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}}
OURS = {"Condition": {"StringEquals": {"aws:PrincipalAccount": "210987654321"}}}
LAYERS = "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"
ENCRYPTED_ONLY = {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}
PASSED = {"Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}
ALARM = {"alarm_actions": ["arn"], "alarm_description": RUNBOOK}


@pytest.mark.parametrize(
    ("type_", "values", "rules"),
    [
        ("aws_kms_alias", {}, []),
        ("aws_sns_topic", {"tags_all": TAGS}, []),
        ("aws_sns_topic", {"tags_all": TAGS | {"cost-centre": ""}}, ["tags"]),
        ("aws_sns_topic", {"tags_all": None}, ["tags"]),
        ("aws_iam_role_policy", {"policy": granting("s3:GetObject")}, []),
        ("aws_iam_role_policy", {"policy": granting("s3:*")}, ["any-action"]),
        ("aws_iam_role_policy", {"policy": granting("*", resource="*")}, ["any-action", "any-resource"]),
        ("aws_iam_role_policy", {"policy": granting("s3:GetObject", resource="*")}, ["any-resource"]),
        ("aws_iam_role_policy", {"policy": granting(*NO_RESOURCE, resource="*")}, []),
        ("aws_iam_role_policy", {"policy": granting("iam:PassRole")}, ["pass-role"]),
        ("aws_iam_role_policy", {"policy": granting("iam:PassRole", **PASSED)}, []),
        ("aws_iam_role", {"assume_role_policy": trusting(SERVICE)}, ["confused-deputy"]),
        ("aws_iam_role", {"assume_role_policy": trusting(SERVICE, **ENCRYPTED_ONLY)}, ["confused-deputy"]),
        ("aws_iam_role", {"assume_role_policy": trusting(SERVICE, **HELD)}, []),
        ("aws_iam_role", {"assume_role_policy": trusting("*")}, ["public"]),
        ("aws_s3_bucket_policy", {"policy": trusting({"AWS": ["*"]})}, ["public"]),
        ("aws_s3_bucket_policy", {"policy": trusting({"AWS": "*"}, Effect="Deny")}, []),
        ("aws_sagemaker_endpoint", {"tags_all": TAGS}, ["release-tags"]),
        ("aws_sagemaker_endpoint", {"tags_all": TAGS | {"commit": "c0ffee"}}, []),
        ("aws_vpc_endpoint", {"policy": granting("kms:Decrypt", Principal="*")}, ["public"]),
        ("aws_vpc_endpoint", {"policy": granting("kms:Decrypt", Principal="*", **OURS)}, []),
        ("aws_vpc_endpoint", {"policy": granting("s3:GetObject", Principal="*", resource=LAYERS)}, []),
        ("aws_sns_topic", {"policy": granting("sns:Publish", Principal="*", **OURS), "tags_all": TAGS}, ["public"]),
        ("aws_cloudwatch_log_group", {"kms_key_id": "arn", "retention_in_days": 30}, []),
        ("aws_cloudwatch_log_group", {"kms_key_id": None, "retention_in_days": 0}, ["log-group", "log-group"]),
        ("aws_cloudwatch_metric_alarm", ALARM, []),
        ("aws_cloudwatch_metric_alarm", ALARM | {"alarm_actions": []}, ["alarm"]),
        ("aws_cloudwatch_metric_alarm", ALARM | {"alarm_description": "Many errors."}, ["alarm"]),
        ("aws_sagemaker_model", {"primary_container": [{"image": f"{IMAGE}:0123456789abcdef"}]}, []),
        ("aws_sagemaker_model", {"primary_container": [{"image": f"{IMAGE}@sha256:{7:064x}"}]}, []),
        ("aws_sagemaker_model", {"primary_container": [{"image": IMAGE}]}, ["pinned-image"]),
        ("aws_sagemaker_model", {"container": [{"image": f"{IMAGE}:latest"}]}, ["pinned-image"]),
        ("aws_sagemaker_endpoint_configuration", {"data_capture_config": [{"kms_key_id": ""}]}, ["capture"]),
        ("aws_sagemaker_endpoint_configuration", {"data_capture_config": []}, []),
    ],
)
def test_a_rule_finds_what_breaks_it_and_nothing_else(type_, values, rules):
    assert found(type_, **values) == rules


def test_a_platforms_resources_are_of_no_model():
    tags = {name: value for name, value in TAGS.items() if name != "model"}
    assert found("aws_sns_topic", stack="prod-platform", tags_all=tags) == []
    assert found("aws_sns_topic", tags_all=tags) == ["tags"]


def test_every_rule_is_on_the_page_and_no_other():
    page = (PROJECT / "docs/security.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(sagestack-[a-z-]+)` \|", page, re.MULTILINE) == [rule.id for rule in RULES]


def test_every_rule_has_a_name_of_its_own_and_says_what_it_asks_for():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.asks for rule in RULES)


def test_a_policy_that_refers_to_what_is_not_made_yet_is_known_all_the_same(new_project):
    environment = load_environment("local", new_project().root)
    document = {
        "terraform": {"backend": {"s3": {}}},
        "provider": {"aws": [{"allowed_account_ids": ["1"], "profile": "p", "region": "r"}]},
        "data": {"terraform_remote_state": {}},
        "resource": {
            "aws_iam_role_policy": {"p": {"policy": granting("iam:PassRole", resource="${aws_iam_role.r_1.arn}")}}
        },
    }
    planned = offline(document, environment)
    assert "${" not in json.dumps(planned["resource"])
    assert "arn:aws:iam:us-east-1:123456789012:r_1" in planned["resource"]["aws_iam_role_policy"]["p"]["policy"]
    assert "backend" not in planned["terraform"]
    assert not {"allowed_account_ids", "profile"} & set(planned["provider"]["aws"][0])


def test_checkovs_findings_are_told_by_stack_and_address():
    failed = {
        "check_id": "CKV_AWS_1",
        "check_name": "Ensure that it is safe",
        "file_path": "/prod-churn.json",
        "resource": "aws_iam_role.one",
    }
    summary = {"resource_count": 3, "parsing_errors": 0}
    (finding,) = findings(json.dumps({"summary": summary, "results": {"failed_checks": [failed, failed]}}))
    assert str(finding) == "prod-churn/aws_iam_role.one: Ensure that it is safe [CKV_AWS_1]"


@pytest.mark.parametrize(
    "summary", [{"resource_count": 0, "parsing_errors": 0}, {"resource_count": 3, "parsing_errors": 1}, {}]
)
def test_nothing_checked_is_no_success(summary):
    with pytest.raises(CheckFailed, match="could not read the plans"):
        findings(json.dumps({"summary": summary, "results": {"failed_checks": []}}))


def test_a_checkov_that_is_not_there_says_how_to_get_it(tmp_path):
    with pytest.raises(ToolMissing, match="make policy"):
        checkov_findings([], tmp_path / "checkov")
