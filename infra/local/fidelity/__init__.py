"""What Terraform writes comes back as AWS would return it; one module a service.

Each closes gaps of moto 5.2.5 that were measured: without them a second plan would not be empty, or destroy would fail.
"""

from typing import Final

from infra.local.cloud import LocalCloud
from infra.local.fidelity import awslambda, cloudwatch, dynamodb, ec2, ecr, iam, s3, sagemaker, sagemaker_tags, sqs

SERVICES: Final = (awslambda, cloudwatch, dynamodb, ec2, ecr, iam, s3, sagemaker, sagemaker_tags, sqs)


def install(cloud: LocalCloud) -> None:
    """Put every service's corrections in place."""
    for service in SERVICES:
        service.install(cloud)
