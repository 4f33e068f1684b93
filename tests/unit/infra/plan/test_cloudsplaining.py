"""The policy gate holds cloudsplaining's rules against the policies of roles: through checkov, and not in name only."""

import json

import pytest

from infra.plan.checkov import CHECKOV, checkov_findings
from infra.plan.offline import Plan

pytestmark = pytest.mark.skipif(not CHECKOV.exists(), reason="there is no .venvs/policy: make .venvs/policy/.ready")
CLOUDSPLAINING = {
    "CKV_AWS_286": ["iam:CreatePolicyVersion", "iam:PutRolePolicy"],
    "CKV_AWS_287": ["sts:AssumeRole", "iam:CreateAccessKey"],
    "CKV_AWS_288": ["s3:GetObject", "ssm:GetParameter"],
    "CKV_AWS_289": ["iam:AttachRolePolicy", "s3:PutBucketPolicy"],
    "CKV_AWS_290": ["s3:DeleteBucket", "sqs:DeleteQueue"],
}
"""Its risks, by checkov's ids: escalation, credentials, exfiltration, permissions, unrestricted writing."""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What is found in a plan of a role for each risk, and of one that reads one folder."""
    granted = {rule: (actions, ["*"]) for rule, actions in CLOUDSPLAINING.items()}
    granted["harmless"] = (["s3:GetObject"], ["arn:aws:s3:::acme-prod-data/churn/*"])
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    resources = [policy(name, *what) for name, what in granted.items()]
    changes = [one | {"change": {"actions": ["create"], "before": None, "after": one["values"]}} for one in resources]
    planned = {"root_module": {"resources": resources}}
    document = {"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": planned}
    path.write_text(json.dumps(document | {"resource_changes": changes, "configuration": {}}))
    return {(one.rule, one.resource) for one in checkov_findings([Plan("prod-churn", path, ())])}


def policy(name, actions, resources):
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    address = f"aws_iam_role_policy.{name}"
    return {
        "address": address,
        "mode": "managed",
        "type": "aws_iam_role_policy",
        "name": name,
        "values": {"name": name, "role": "acme-prod-churn-jobs", "policy": text},
    }


@pytest.mark.parametrize("rule", CLOUDSPLAINING)
def test_a_policy_that_cloudsplaining_finds_a_risk_in_is_found(found, rule):
    assert (rule, f"prod-churn/aws_iam_role_policy.{rule}") in found


def test_a_policy_that_names_what_it_reads_is_not(found):
    assert not {rule for rule, resource in found if resource.endswith(".harmless")}
