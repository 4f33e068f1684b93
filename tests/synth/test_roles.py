"""Every role trusts one service, and may do what its use takes: no managed policy, no star where there is a name."""

import json
import re

import pytest

from infra.constructs.vpc_config import LOOK_UP
from tests.synth.policies import ACCOUNTS, REGIONS, environment_of, listed

ANY_RESOURCE = {
    "ecr:GetAuthorizationToken": "names no resource",
    "cloudwatch:PutMetricData": "names no resource; a condition holds it to two namespaces",
    "cloudwatch:GetMetricData": "names no resource",
    **dict.fromkeys(LOOK_UP, "names no resource"),
}
ARCHIVES = ["arn:aws:s3:::acme-wording/2/model.tar.gz"]
"""What a model's file names in so many words: the archive of a container of the owner's own."""
ACTS_FOR = {"vpc-flow-logs": "ec2"}
CONFUSED_DEPUTY = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}
ANY_ACTION = {("aws_kms_key", "Administration"): "without it IAM policies say nothing about the key"}


@pytest.fixture(scope="session")
def statements(every_stack):
    """Every policy statement, as (where, statement)."""
    return [
        (where, statement)
        for stack in every_stack
        for where, document in stack.policies()
        for statement in document["Statement"]
    ]


def test_every_role_is_assumed_on_behalf_of_its_account_and_of_what_may_have_such_a_role(every_stack):
    for stack in every_stack:
        where = f"{REGIONS[environment_of(stack)]}:{ACCOUNTS[environment_of(stack)]}"
        for role in stack.all("aws_iam_role").values():
            (statement,) = json.loads(role["assume_role_policy"])["Statement"]
            account, source = (statement["Condition"][operator] for operator in ("StringEquals", "ArnLike"))
            assert account == {"aws:SourceAccount": ACCOUNTS[environment_of(stack)]}
            service = statement["Principal"]["Service"].removesuffix(".amazonaws.com")
            assert source["aws:SourceArn"].startswith(f"arn:aws:{ACTS_FOR.get(service, service)}:{where}:")


def test_no_service_is_let_in_but_on_behalf_of_the_environments_own(every_stack):
    for stack in every_stack:
        for where, document in stack.policies():
            for statement in document["Statement"]:
                if isinstance(statement.get("Principal"), dict) and "Service" in statement["Principal"]:
                    known = {key for keys in statement["Condition"].values() for key in keys}
                    assert known & CONFUSED_DEPUTY, where
        for permission in stack.all("aws_lambda_permission").values():
            assert stack.referred(permission["source_arn"])["name"]


def test_no_statement_allows_every_action_of_a_service_but_the_keys_administration(statements):
    broad = {
        (where.split("/")[1].split(".")[0], statement.get("Sid"))
        for where, statement in statements
        if statement["Effect"] == "Allow" and any("*" in action for action in listed(statement["Action"]))
    }
    assert broad == set(ANY_ACTION)


def test_a_statement_allows_any_resource_only_where_there_is_none_to_name(statements):
    loose = {
        action
        for where, statement in statements
        if statement["Effect"] == "Allow" and "*" in listed(statement.get("Resource", []))
        for action in listed(statement["Action"])
        if "aws_kms_key" not in where  # in a key's own policy, * is the key
        and "aws_vpc_endpoint" not in where  # which gives nothing, but limits what roles may do through it
    }
    assert loose == set(ANY_RESOURCE)


def test_metrics_are_published_in_two_namespaces_only(statements):
    conditions = [
        one["Condition"]
        for where, one in statements
        if "cloudwatch:PutMetricData" in one["Action"] and "aws_vpc_endpoint" not in where
    ]
    expected = {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "sagestack/*"]}}
    assert conditions == [expected] * len(conditions)
    assert conditions


def test_a_schedule_creates_jobs_of_its_own_model_alone(statements):
    created = [
        arn
        for _, one in statements
        if {"sagemaker:CreateProcessingJob", "sagemaker:CreateTransformJob"} & set(listed(one["Action"]))
        for arn in one["Resource"]
    ]
    assert created
    assert all(re.search(r"-job/(pipelines|[\w-]+-(batch|drift|quality))-\*$", arn) for arn in created), created


def test_roles_are_passed_by_name_and_to_the_service_that_they_trust(every_stack):
    passed = [
        (stack, statement)
        for stack in every_stack
        for _, document in stack.policies()
        for statement in document["Statement"]
        if "iam:PassRole" in listed(statement["Action"])
    ]
    assert passed
    for stack, statement in passed:
        for role in statement["Resource"]:
            (trust,) = json.loads(stack.referred(role)["assume_role_policy"])["Statement"]
            service = trust["Principal"]["Service"]
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": service}}


def test_every_arn_that_is_written_out_is_of_the_environments_account_and_region(every_stack):
    for stack in every_stack:
        found = set(re.findall(r"arn:aws:([a-z0-9-]+):([a-z0-9-]*):(\d*)", stack.text))
        own = {account for _, _, account in found} - {""}
        locked = {"123456789012"}  # where the releases of the tests were registered
        assert own <= {ACCOUNTS[environment_of(stack)]} | locked
        assert {region for _, region, _ in found} - {""} <= {REGIONS[environment_of(stack)], "us-east-1"}


def test_no_policy_is_attached_that_is_not_written_here(every_stack):
    for stack in every_stack:
        assert not [kind for kind in stack.kinds() if "policy_attachment" in kind]
        for role in stack.all("aws_iam_role").values():
            assert "managed_policy_arns" not in role


def test_every_role_has_one_inline_policy_that_allows_something(every_stack):
    for stack in every_stack:
        roles = [f"${{aws_iam_role.{id_}.name}}" for id_ in stack.all("aws_iam_role")]
        policies = stack.all("aws_iam_role_policy").values()
        assert sorted(policy["role"] for policy in policies) == sorted(roles)
        assert all(json.loads(policy["policy"])["Statement"] for policy in policies)


def test_a_role_reads_and_writes_below_its_own_models_prefix_only(every_stack):
    for stack in every_stack:
        model = stack.name.split("-", 1)[1]
        for where, document in stack.policies():
            if "aws_iam_role_policy" not in where:
                continue
            objects = [
                resource
                for one in document["Statement"]
                for resource in listed(one["Resource"])
                if resource.startswith("arn:aws:s3:::") and "/" in resource
            ]
            strange = [one for one in objects if f"/{model}/" not in one]
            assert strange == (ARCHIVES if model == "inference-pipeline" and "endpoint_role" in where else []), where


def test_a_role_makes_and_writes_the_log_groups_of_its_own_jobs_or_endpoint_alone(live_stack, kinds):
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:"
    written = {}
    for stack in (live_stack, kinds["batch-transform"]):
        for policy in stack.all("aws_iam_role_policy").values():
            for one in json.loads(policy["policy"])["Statement"]:
                if "logs:CreateLogGroup" in one["Action"]:
                    groups = {resource.removeprefix(arn).removesuffix(":*") for resource in one["Resource"]}
                    written[policy["name"].removeprefix("sagestack-local-")] = groups
    jobs = {"/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"}
    assert written == {
        "flight-delay-jobs": jobs,
        "flight-delay-monitor": {"/aws/sagemaker/ProcessingJobs"},
        "flight-delay-endpoint": {"/aws/sagemaker/Endpoints/sagestack-local-flight-delay"},
        "batch-transform-jobs": jobs,
        "batch-transform-endpoint": {"/aws/sagemaker/TransformJobs"},
    }


def test_the_governor_may_start_its_pipeline_and_touch_its_table_alone(live_stack):
    (policy,) = [one for one in live_stack.all("aws_iam_role_policy").values() if one["name"].endswith("-governor")]
    allowed = {a: s["Resource"] for s in json.loads(policy["policy"])["Statement"] for a in listed(s["Action"])}
    assert not [action for action in allowed if action.startswith(("s3:Get", "s3:Put", "dynamodb:Delete"))]
    assert {action for action in allowed if action.startswith("iam:")} == {"iam:PassRole"}
    assert [live_stack.referred(arn)["name"][-9:] for arn in allowed["iam:PassRole"]] == ["-debounce"]
    assert all(":pipeline/sagestack-local-flight-delay" in arn for arn in allowed["sagemaker:StartPipelineExecution"])
    assert [live_stack.referred(arn) for arn in allowed["dynamodb:PutItem"]] == [live_stack.only("aws_dynamodb_table")]
    assert {action for action in allowed if action.startswith("sqs:")} == {"sqs:SendMessage"}
    assert allowed["sqs:SendMessage"] == ["arn:aws:sqs:us-east-1:123456789012:sagestack-local-undecided"]
