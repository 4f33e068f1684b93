"""What is still there after destroy, asked of the cloud itself and not of Terraform's state."""

from collections.abc import Iterator

from infra.config import EnvironmentConfig
from infra.session import client

LISTS = (
    ("s3", "list_buckets", "Buckets", "Name"),
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ("sagemaker", "list_models", "Models", "ModelName"),
    ("sagemaker", "list_pipelines", "PipelineSummaries", "PipelineName"),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
    ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("dynamodb", "list_tables", "TableNames", None),
    ("sqs", "list_queues", "QueueUrls", None),
    ("events", "list_rules", "Rules", "Name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("kms", "list_aliases", "Aliases", "AliasName"),
)
"""(service, operation, the answer's list, the name in it) of every kind of resource that the stacks declare.

No name: the list is one of names.
"""


ARGUMENTS = {"describe_alarms": {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}}
"""What has to be said for an operation to list all kinds."""


def leftovers(environment: EnvironmentConfig) -> list[str]:
    """Names of the environment's resources that still exist, each with its kind."""
    return sorted(f"{service}: {name}" for service, name in _names(environment) if environment.names.base in name)


def _names(environment: EnvironmentConfig) -> Iterator[tuple[str, str]]:
    for service, operation, key, name in LISTS:
        for item in getattr(client(environment, service), operation)(**ARGUMENTS.get(operation, {})).get(key, ()):
            yield service, item if name is None else item[name]
