"""Before a deploy: is everything there that it needs, and would what is live now stay declared?"""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig, Release, ReleaseLock
from infra.release.image import digest
from infra.release.intended import Intended
from infra.release.intended_batch import IntendedBatch
from infra.release.raised import raised_alarms
from infra.release.receipts import Receipts
from infra.release.verify import approval, found
from infra.session import client


def obstacles(environment: EnvironmentConfig, intended: Intended | IntendedBatch, lock: ReleaseLock) -> Iterator[str]:
    """Why a deploy should not begin, each with the way out; nothing when it may.

    Args:
        environment: where it would go.
        intended: what is declared; of a batch transform nothing is live that a deploy could take away.
        lock: the model's release lock.
    """
    yield from _unusable(environment, lock.current, lock.model)
    if isinstance(intended, IntendedBatch):
        return
    sagemaker = client(environment, "sagemaker")
    endpoint = found(sagemaker.describe_endpoint, EndpointName=intended.endpoint)
    if endpoint is None:
        return
    status, live = endpoint["EndpointStatus"], endpoint["EndpointConfigName"]
    if status not in {"InService", "Failed"}:
        yield f"the endpoint {intended.endpoint} is {status}: wait until it is in service, as sagestack deploy does"
    if live not in intended.declared:
        yield _undeclared(environment, lock, live)
    if raised := raised_alarms(environment, intended, live):
        yield _raised(environment, lock, raised)


def _raised(environment: EnvironmentConfig, lock: ReleaseLock, raised: list[str]) -> str:
    despite = f"sagestack promote {lock.model} {lock.current.version} --env {environment.name} --despite-alarms"
    return (
        f"raised already: {', '.join(raised)}, so SageMaker would take this update back: wait until it is over, "
        f"or, if this release is what mends it, {despite}"
    )


def _undeclared(environment: EnvironmentConfig, lock: ReleaseLock, live: str) -> str:
    danger = (
        f"{live}, which is live, is not declared, so this deploy would delete it before the new one has proven itself"
    )
    receipts = Receipts(environment, lock.model).newest_first()
    version = next((one.after.version for one in receipts if one.after.configuration == live), lock.current.version)
    keep = f"sagestack promote {lock.model} {version} --env {environment.name}"
    if version != lock.current.version:
        return f"{danger}. It is version {version}; what was promoted since was taken back: {keep}, and promote again"
    return (
        f"{danger}: undo the last change of endpoint settings, {keep}, and make the change again; "
        "or, if it was made by hand, deploy with cdktf"
    )


def _unusable(environment: EnvironmentConfig, release: Release, model: str) -> Iterator[str]:
    again = f"promote another: sagestack models {model} --env {environment.name}"
    approved = approval(client(environment, "sagemaker"), release)
    if approved != "Approved":
        state = approved if approved == "does not exist" else f"is {approved}"
        yield f"{model} version {release.version} ({release.model_package_arn}) {state}: {again}"
    if not _stored(environment, release.model_data_url):
        yield f"{release.model_data_url} does not exist: {again}"
    if digest(environment, release.image) is None:
        yield f"the image {release.image} does not exist in ECR: push it, or {again}"


def _stored(environment: EnvironmentConfig, uri: str) -> bool:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        client(environment, "s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 - not found
            return False
        raise
    return True
