"""What the deploy role may change, held against every resource that the stacks declare."""

import json
from fnmatch import fnmatch

import pytest

from infra.bootstrap.permissions import deploying, planning
from infra.config import CreatedNetwork, EnvironmentConfig, NoNetwork, S3State
from infra.naming import Names

WHERE = "eu-west-1:210987654321"
STATE = S3State(kind="s3", bucket="acme-terraform-state")
ARNS = {
    "aws_appautoscaling_policy": ("name", f"arn:aws:application-autoscaling:{WHERE}:scalable-target/{{}}"),
    "aws_appautoscaling_target": ("resource_id", f"arn:aws:application-autoscaling:{WHERE}:scalable-target/{{}}"),
    "aws_cloudwatch_composite_alarm": ("alarm_name", f"arn:aws:cloudwatch:{WHERE}:alarm:{{}}"),
    "aws_cloudwatch_dashboard": ("dashboard_name", "arn:aws:cloudwatch::210987654321:dashboard/{}"),
    "aws_cloudwatch_event_rule": ("name", f"arn:aws:events:{WHERE}:rule/{{}}"),
    "aws_cloudwatch_log_group": ("name", f"arn:aws:logs:{WHERE}:log-group:{{}}"),
    "aws_cloudwatch_metric_alarm": ("alarm_name", f"arn:aws:cloudwatch:{WHERE}:alarm:{{}}"),
    "aws_dynamodb_table": ("name", f"arn:aws:dynamodb:{WHERE}:table/{{}}"),
    "aws_ecr_repository": ("name", f"arn:aws:ecr:{WHERE}:repository/{{}}"),
    "aws_iam_role": ("name", "arn:aws:iam::210987654321:role/{}"),
    "aws_kms_alias": ("name", f"arn:aws:kms:{WHERE}:{{}}"),
    "aws_lambda_function": ("function_name", f"arn:aws:lambda:{WHERE}:function:{{}}"),
    "aws_s3_bucket": ("bucket", "arn:aws:s3:::{}"),
    "aws_sagemaker_endpoint": ("name", f"arn:aws:sagemaker:{WHERE}:endpoint/{{}}"),
    "aws_sagemaker_endpoint_configuration": ("name", f"arn:aws:sagemaker:{WHERE}:endpoint-config/{{}}"),
    "aws_sagemaker_model": ("name", f"arn:aws:sagemaker:{WHERE}:model/{{}}"),
    "aws_sagemaker_model_package_group": (
        "model_package_group_name",
        f"arn:aws:sagemaker:{WHERE}:model-package-group/{{}}",
    ),
    "aws_sagemaker_pipeline": ("pipeline_name", f"arn:aws:sagemaker:{WHERE}:pipeline/{{}}"),
    "aws_scheduler_schedule": ("name", f"arn:aws:scheduler:{WHERE}:schedule/default/{{}}"),
    "aws_sns_topic": ("name", f"arn:aws:sns:{WHERE}:{{}}"),
    "aws_sqs_queue": ("name", f"arn:aws:sqs:{WHERE}:{{}}"),
}
"""Types with a name of their own, and the ARN that AWS asks the permission for."""
OF_THE_NETWORK = {
    "aws_flow_log": "vpc-flow-log",
    "aws_route_table": "route-table",
    "aws_security_group": "security-group",
    "aws_subnet": "subnet",
    "aws_vpc": "vpc",
    "aws_vpc_endpoint": "vpc-endpoint",
    "aws_vpc_security_group_egress_rule": "security-group-rule",
    "aws_vpc_security_group_ingress_rule": "security-group-rule",
}
"""Types that AWS names itself, so that only their tags say whose they are, and what they are called in an ARN."""
PART_OF_ANOTHER = {
    "aws_cloudwatch_event_target",
    "aws_ecr_lifecycle_policy",
    "aws_iam_role_policy",
    "aws_kms_key",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_permission",
    "aws_route_table_association",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_object_lock_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
}
"""Types that AWS asks no permission of their own for; a key has no name."""


@pytest.fixture(scope="session")
def environment():
    return EnvironmentConfig(
        name="prod",
        prefix="acme",
        account="210987654321",
        region="eu-west-1",
        state=STATE,
        network=CreatedNetwork(kind="create"),
    )


@pytest.fixture(scope="session")
def names(environment):
    return environment.names


@pytest.mark.parametrize("policy", [planning, deploying])
def test_both_roles_reach_every_resource_that_the_stacks_declare(prod, environment, policy):
    statements = policy(environment, STATE)["Statement"]
    patterns = [arn for one in statements for arn in one["Resource"] if arn != "*"]
    for stack in prod.values():
        for kind in stack.kinds() - PART_OF_ANOTHER - set(OF_THE_NETWORK):
            attribute, arn = ARNS[kind]
            for resource in stack.all(kind).values():
                named = arn.format(resource[attribute])
                assert any(fnmatch(named, pattern) for pattern in patterns), named


def test_what_deploys_makes_networks_and_changes_those_that_carry_its_tag(prod, environment):
    about_networks = [one for one in deploying(environment, STATE)["Statement"] if "ec2" in one["Action"][0]]
    requested, _, tagged = about_networks
    assert tagged["Condition"] == {"StringEquals": {"aws:ResourceTag/environment": "prod"}}
    for statement in (requested, tagged):
        for kind in OF_THE_NETWORK.keys() & prod["prod-platform"].kinds():
            named = f"arn:aws:ec2:{WHERE}:{OF_THE_NETWORK[kind]}/id-1"
            assert any(fnmatch(named, pattern) for pattern in statement["Resource"]), kind
        assert (
            statement["Condition"]["StringEquals"].items()
            <= {
                "aws:RequestTag/environment": "prod",
                "aws:ResourceTag/environment": "prod",
            }.items()
        )
    assert OF_THE_NETWORK.keys() <= prod["prod-platform"].kinds()


def test_without_a_network_of_its_own_an_environment_may_touch_none(environment):
    without = environment.model_copy(update={"network": NoNetwork()})
    assert "ec2:" not in json.dumps([planning(without, STATE), deploying(without, STATE)])


def test_no_role_reaches_another_environment_of_the_same_account(environment, names):
    other = Names("acme", "staging", names.account, names.region)
    theirs = [
        f"arn:aws:s3:::{other.bucket('registry')}",
        f"arn:aws:iam::{other.account}:role/{other.model('churn').base}-endpoint",
        f"arn:aws:sagemaker:{other.region}:{other.account}:endpoint/{other.model('churn').base}",
        "arn:aws:s3:::acme-terraform-state/sagestack/staging-churn.tfstate",
    ]
    for statement in deploying(environment, STATE)["Statement"]:
        for pattern in set(statement["Resource"]) - {"*"}:
            assert not any(fnmatch(one, pattern) for one in theirs), pattern


def test_a_key_is_changed_only_where_its_tag_names_the_environment(environment):
    statements = deploying(environment, STATE)["Statement"]
    keys = [one for one in statements if "kms:*" in one["Action"] or "kms:CreateKey" in one["Action"]]
    tags = [tag for one in keys for tag in one["Condition"]["StringEquals"].items()]
    assert tags == [("aws:ResourceTag/environment", "prod"), ("aws:RequestTag/environment", "prod")]
    assert keys[1]["Condition"]["StringEqualsIfExists"] == {"aws:ResourceTag/environment": "prod"}


@pytest.mark.parametrize("policy", [planning, deploying])
def test_a_policy_fits_into_what_iam_takes(environment, policy):
    assert len(json.dumps(policy(environment, STATE), separators=(",", ":"))) < 10240
