"""boto3 clients for an environment: AWS, or any AWS-compatible endpoint that the environment names."""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ParamSpec, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.config import EnvironmentConfig
from infra.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")

SESSION_NAME = "sagestack"
"""What CloudTrail calls a command that has taken on a role."""
PLACEHOLDER = "local"
"""An endpoint that is not AWS checks no credentials, but the clients insist on having some."""


def client(environment: EnvironmentConfig, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    """A boto3 client as the environment's deploy role, or with the caller's own credentials where it names none."""
    if environment.deploy_role is None:
        return own_client(environment, service)
    answer = own_client(environment, "sts").assume_role(RoleArn=environment.deploy_role, RoleSessionName=SESSION_NAME)[
        "Credentials"
    ]
    return own_client(
        environment,
        service,
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )


def own_client(environment: EnvironmentConfig, service: str, **credentials: str) -> Any:  # noqa: ANN401 - as above
    """A boto3 client with the caller's own credentials, or placeholders where the endpoint is not AWS."""
    if environment.endpoint_url is None:
        return boto3.client(service, region_name=environment.region, **credentials)
    placeholders = {"aws_access_key_id": PLACEHOLDER, "aws_secret_access_key": PLACEHOLDER}
    return boto3.client(
        service,
        region_name=environment.region,
        endpoint_url=environment.endpoint_url,
        config=Config(s3={"addressing_style": "path"}),
        **(credentials or placeholders),
    )


def answered_at(answer: Mapping[str, Any]) -> datetime:
    """When a service gave its answer, by its own clock; by this machine's, if it does not say."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose AWS errors (no credentials, no permission, no answer) are told without a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> R:
        try:
            return command(*args, **options)
        except (BotoCoreError, ClientError) as error:
            raise UserError(f"AWS: {error}") from None

    return run
