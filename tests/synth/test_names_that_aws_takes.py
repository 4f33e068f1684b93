"""The longest names that a project may have give names that every AWS service takes, by the services' own models."""

import re

import botocore.session
import pytest

ACCEPTED = {
    "aws_appautoscaling_policy.name": ("application-autoscaling", "PolicyName"),
    "aws_appautoscaling_target.resource_id": ("application-autoscaling", "ResourceIdMaxLen1600"),
    "aws_cloudwatch_composite_alarm.alarm_description": ("cloudwatch", "AlarmDescription"),
    "aws_cloudwatch_composite_alarm.alarm_name": ("cloudwatch", "AlarmName"),
    "aws_cloudwatch_dashboard.dashboard_name": ("cloudwatch", "DashboardName"),
    "aws_cloudwatch_event_rule.description": ("events", "RuleDescription"),
    "aws_cloudwatch_event_rule.name": ("events", "RuleName"),
    "aws_cloudwatch_log_group.name": ("logs", "LogGroupName"),
    "aws_cloudwatch_metric_alarm.alarm_description": ("cloudwatch", "AlarmDescription"),
    "aws_cloudwatch_metric_alarm.alarm_name": ("cloudwatch", "AlarmName"),
    "aws_dynamodb_table.name": ("dynamodb", "TableName"),
    "aws_ecr_repository.name": ("ecr", "RepositoryName"),
    "aws_iam_role.name": ("iam", "roleNameType"),
    "aws_iam_role_policy.name": ("iam", "policyNameType"),
    "aws_kms_alias.name": ("kms", "AliasNameType"),
    "aws_kms_key.description": ("kms", "DescriptionType"),
    "aws_lambda_function.description": ("lambda", "Description"),
    "aws_lambda_function.function_name": ("lambda", "FunctionName"),
    "aws_lambda_permission.statement_id": ("lambda", "StatementId"),
    "aws_sagemaker_endpoint.name": ("sagemaker", "EndpointName"),
    "aws_sagemaker_endpoint_configuration.name": ("sagemaker", "EndpointConfigName"),
    "aws_sagemaker_model.name": ("sagemaker", "ModelName"),
    "aws_sagemaker_model_package_group.model_package_group_description": ("sagemaker", "EntityDescription"),
    "aws_sagemaker_model_package_group.model_package_group_name": ("sagemaker", "EntityName"),
    "aws_sagemaker_pipeline.pipeline_description": ("sagemaker", "PipelineDescription"),
    "aws_sagemaker_pipeline.pipeline_display_name": ("sagemaker", "PipelineName"),
    "aws_sagemaker_pipeline.pipeline_name": ("sagemaker", "PipelineName"),
    "aws_scheduler_schedule.description": ("scheduler", "Description"),
    "aws_scheduler_schedule.name": ("scheduler", "Name"),
}
"""Every argument that names or describes something, and the shape that AWS holds it against."""
RULES_OF_DOCUMENTS = {
    "aws_lambda_function.function_name": 64,
    "aws_s3_bucket.bucket": 63,
    "aws_sns_topic.name": 256,
    "aws_sqs_queue.name": 80,
}
"""Limits that AWS's models do not have, or not as strict, but its documentation does."""
UNICODE = re.compile(r"\\[pu]")
"""Patterns of another dialect than Python's: any text, and so not compared."""
CONTAINER = "{name: x, image: '123456789012.dkr.ecr.ap-southeast-2.amazonaws.com/x:1'}"
KINDS = {
    "real-time": "",
    "serverless": "",
    "asynchronous": "",
    "multi-model": "",
    "inference-pipeline": f"before: [{CONTAINER}]",
    "batch-transform": "",
}
ENVIRONMENT = """
prefix: abcdefghijklmnopqrst
account: "123456789012"
region: ap-southeast-2
state: {kind: file, directory: build/state}
"""


@pytest.fixture(scope="module")
def longest(new_project, new_release, synthesize):
    """The longest prefix that there may be, and the longest names of models that then fit, one of each kind."""
    project = new_project()
    (project.root / "models/flight-delay.yaml").unlink()
    project.environment("a-prod", ENVIRONMENT)
    longest = 63 - len("abcdefghijklmnopqrst-a-prod--") - 10
    for kind, more in KINDS.items():
        model = kind[0] * longest
        drift = kind == "real-time"
        project.model(
            model,
            f"endpoint: {{kind: {kind}, {more}}}\n"
            f"monitoring: {'{quality: {minimum: 0.5}}' if drift else '{drift: null}'}\n"
            f"retraining: {{on_drift: {str(drift).lower()}, new_data: {{minimum_files: 1}}}}\n",
        )
        project.lock(model, new_release(1), releases="infra/releases/a-prod")
    return synthesize(project, "a-prod")


@pytest.fixture(scope="module")
def shapes():
    session = botocore.session.get_session()
    models = {service: session.get_service_model(service) for service, _ in ACCEPTED.values()}
    return {where: models[service].shape_for(shape) for where, (service, shape) in ACCEPTED.items()}


def names(stacks):
    for stack in stacks.values():
        for kind, resources in stack.document["resource"].items():
            for resource in resources.values():
                for argument, value in resource.items():
                    if isinstance(value, str) and not value.startswith("${"):
                        yield f"{kind}.{argument}", value


def test_every_name_is_as_long_as_its_service_takes_and_of_its_letters(longest, shapes):
    found = [(where, value) for where, value in names(longest) if where in shapes]
    assert {where for where, _ in found} == set(ACCEPTED)
    for where, value in found:
        limits = shapes[where].metadata
        assert limits.get("min", 0) <= len(value) <= limits.get("max", len(value)), (where, value)
        if not UNICODE.search(limits.get("pattern", r"\u")):
            assert re.fullmatch(limits["pattern"], value), (where, value)


def test_every_name_keeps_to_the_documented_limits_too(longest):
    found = [(where, value) for where, value in names(longest) if where in RULES_OF_DOCUMENTS]
    assert {where for where, _ in found} == set(RULES_OF_DOCUMENTS)
    assert [(where, value) for where, value in found if len(value) > RULES_OF_DOCUMENTS[where]] == []


def test_no_name_escapes_this_test(longest):
    naming = re.compile(r"(^|_)(name|description|bucket|statement_id)$")
    strangers = {where for where, _ in names(longest) if naming.search(where.split(".")[1])}
    assert strangers <= ACCEPTED.keys() | RULES_OF_DOCUMENTS.keys() | {"aws_cloudwatch_metric_alarm.metric_name"}
