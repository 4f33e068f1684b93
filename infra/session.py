"""boto3 clients for an environment: AWS, or any AWS-compatible endpoint that the environment names."""

from typing import Any

import boto3
from botocore.config import Config

from infra.config import EnvironmentConfig

PLACEHOLDER = "local"
"""An endpoint that is not AWS checks no credentials, but the clients insist on having some."""


def client(environment: EnvironmentConfig, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    """A boto3 client; credentials are the caller's own, or placeholders where the endpoint is not AWS."""
    if environment.endpoint_url is None:
        return boto3.client(service, region_name=environment.region)
    return boto3.client(
        service,
        region_name=environment.region,
        endpoint_url=environment.endpoint_url,
        aws_access_key_id=PLACEHOLDER,
        aws_secret_access_key=PLACEHOLDER,
        config=Config(s3={"addressing_style": "path"}),
    )
