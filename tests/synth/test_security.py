"""Secure by default: keys, volumes, networks, logs, images, tables and queues of every stack."""

import json

import pytest

from tests.synth.policies import ACCOUNTS, environment_of, listed


def test_only_the_account_itself_may_use_its_key_through_services(every_stack):
    keys = [(stack, key) for stack in every_stack for key in stack.all("aws_kms_key").values()]
    assert keys
    for stack, key in keys:
        account = ACCOUNTS[environment_of(stack)]
        for statement in json.loads(key["policy"])["Statement"]:
            if "AWS" in statement["Principal"]:
                assert statement["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
            else:
                assert account in json.dumps(statement["Condition"])
        assert key["enable_key_rotation"] is True


def test_the_schedule_can_read_its_encrypted_input(live_stack):
    schedule = live_stack.only("aws_scheduler_schedule")
    role = schedule["target"]["role_arn"].split(".")[1]
    (policy,) = [one for one in live_stack.all("aws_iam_role_policy").values() if f".{role}." in one["role"]]
    allowed = {a: s["Resource"] for s in json.loads(policy["policy"])["Statement"] for a in listed(s["Action"])}
    assert allowed["kms:Decrypt"] == [schedule["kms_key_arn"]]


def test_the_roles_of_jobs_and_endpoints_may_have_their_volumes_encrypted_and_no_other_role_may(every_stack):
    for stack in every_stack:
        granting = {
            policy["name"]
            for policy in stack.all("aws_iam_role_policy").values()
            for statement in json.loads(policy["policy"])["Statement"]
            if "kms:CreateGrant" in statement["Action"]
            and statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        }
        roles = {role["name"] for role in stack.all("aws_iam_role").values()}
        with_volumes = ("-jobs", "-monitor", "-quality", "-endpoint")
        assert granting == {name for name in roles if name.endswith(with_volumes)} - {
            "sagestack-local-serverless-endpoint"
        }
        allowing = [where for where, policy in stack.policies() if "kms:CreateGrant" in json.dumps(policy)]
        assert len([where for where in allowing if "aws_vpc_endpoint" not in where]) == len(granting)


def test_a_models_containers_have_no_network_but_where_aws_cannot_isolate_them(every_stack):
    for stack in every_stack:
        isolated = {model["enable_network_isolation"] for model in stack.all("aws_sagemaker_model").values()}
        assert isolated <= {stack.name != "local-serverless"}


def test_the_volumes_of_endpoints_are_encrypted_with_the_environments_key(every_stack):
    configurations = [
        (stack, one) for stack in every_stack for one in stack.all("aws_sagemaker_endpoint_configuration").values()
    ]
    assert configurations
    for stack, configuration in configurations:
        if stack.name == "local-serverless":  # AWS keeps its instances to itself
            assert "kms_key_arn" not in configuration
        else:
            assert "kms_key" in configuration["kms_key_arn"]


@pytest.mark.parametrize(
    ("endpoint", "encrypted"),
    [
        ("instance_type: ml.m5.large", True),
        ("instance_type: ml.g5.xlarge", False),
        ("shadow: {version: 2, instance_type: ml.m5d.large}", False),
    ],
)
def test_no_key_is_asked_for_where_sagemaker_refuses_one(new_project, new_release, synthesize, endpoint, encrypted):  # noqa: PLR0917 - fixtures
    project = new_project()
    project.model("churn", f"endpoint: {{{endpoint}}}\n")
    project.lock("churn", new_release(1))
    stack = synthesize(project)["local-churn"]
    assert ("kms_key_arn" in stack.only("aws_sagemaker_endpoint_configuration")) is encrypted


def test_what_an_endpoint_says_is_encrypted_and_kept_for_a_time_from_its_first_word_on(prod):
    stack = prod["prod-churn"]
    (id_, group), *others = [
        (id_, one) for id_, one in stack.all("aws_cloudwatch_log_group").items() if "/Endpoints/" in one["name"]
    ]
    assert (group["name"], others) == ("/aws/sagemaker/Endpoints/acme-prod-churn", [])
    assert "kms_key" in group["kms_key_id"]
    assert group["retention_in_days"] == 365
    assert f"aws_cloudwatch_log_group.{id_}" in stack.only("aws_sagemaker_endpoint")["depends_on"]


def test_what_is_captured_and_logged_is_encrypted(live_stack):
    for configuration in live_stack.all("aws_sagemaker_endpoint_configuration").values():
        assert configuration["data_capture_config"]["kms_key_id"].startswith("${")
    assert all(group["kms_key_id"].startswith("${") for group in live_stack.all("aws_cloudwatch_log_group").values())
    assert live_stack.only("aws_scheduler_schedule")["kms_key_arn"].startswith("${")


def test_images_that_no_tag_names_go_and_tagged_ones_stay(platform):
    policies = platform.all("aws_ecr_lifecycle_policy").values()
    assert len(policies) == 3
    for policy in policies:
        (rule,) = json.loads(policy["policy"])["rules"]
        assert rule["selection"]["tagStatus"] == "untagged"


def test_images_are_immutable_scanned_and_encrypted(platform):
    repositories = platform.all("aws_ecr_repository").values()
    assert len(repositories) == 3
    for repository in repositories:
        assert repository["image_tag_mutability"] == "IMMUTABLE"
        assert repository["image_scanning_configuration"] == {"scan_on_push": True}
        assert repository["encryption_configuration"][0]["encryption_type"] == "KMS"


def test_the_governors_table_is_encrypted_and_can_be_recovered(live_stack, prod):
    for stack, protected in ((live_stack, False), (prod["prod-churn"], True)):
        table = stack.only("aws_dynamodb_table")
        assert table["server_side_encryption"]["kms_key_arn"].startswith("${")
        assert table["point_in_time_recovery"] == {"enabled": True}
        assert table["deletion_protection_enabled"] is protected


def test_the_queue_of_events_that_governors_failed_on_is_encrypted(bare, prod):
    for stack in (bare["local-platform"], prod["prod-platform"]):
        assert stack.only("aws_sqs_queue")["kms_master_key_id"] == stack.only("aws_kms_alias")["name"]
