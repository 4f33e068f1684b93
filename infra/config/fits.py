"""Whether a model fits into an environment: rules that need both."""

from collections.abc import Iterator
from itertools import chain
from typing import Final, get_args

from infra.config.environment import EnvironmentConfig
from infra.config.errors import Problem
from infra.config.inference_pipeline import ContainerConfig, InferencePipelineEndpointConfig
from infra.config.model import ModelConfig
from infra.config.network import CreatedNetwork
from infra.config.tree import Node, Path, key_path
from infra.naming import PLATFORM, BucketKind
from infra.prices import prices

LONGEST_NAME: Final = 63
"""SageMaker's limit for models, endpoints and their configurations, the content hash included.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html"""


def misfits(model: ModelConfig, environment: EnvironmentConfig, node: Node, file: str) -> Iterator[Problem]:
    """What is wrong with a valid model in this environment.

    Args:
        model: the model, with the environment's overlay.
        environment: where it is to live.
        node: what the model was read from.
        file: the file's name, as messages show it.
    """
    rules = (_name, _images, _archives, _price)
    for path, message in chain.from_iterable(rule(model, environment) for rule in rules):
        origin = node.nearest(path).origin
        shown = path if origin.overlay is None else ("environments", origin.overlay, *path)
        yield Problem(file, origin.line, key_path(shown), message)


def unreadable(environment: EnvironmentConfig, source: EnvironmentConfig) -> str | None:
    """Why an environment cannot release another one's models; None if it can.

    SageMaker takes images and artifacts of its own region only.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
    """
    if source.region != environment.region:
        why = f"is in {source.region}, but {environment.name} is in {environment.region}, where SageMaker reads from"
        return f"{why}: train in the same region"
    if source.account != environment.account and environment.account not in source.shares_registry_with:
        return (
            f"does not let {environment.account} read it: add that to shares_registry_with in environments/"
            f"{source.name}.yaml, and deploy {source.name} first"
        )
    return None


def _name(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    if model.name == PLATFORM:
        yield ("name",), f"is {PLATFORM}, as the stack and the dashboard of what models share are called: take another"
    longest = environment.names.model(model.name).release("0" * 64)
    excess = len(longest) - LONGEST_NAME
    if excess > 0:
        given = f'is "{model.name}", which {environment.names.base}- and a content hash make {len(longest)} characters'
        yield ("name",), f"{given} long, but AWS allows {LONGEST_NAME}: shorten it by {excess}"


def _images(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    """SageMaker pulls from its own region.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html (Image)
    """
    for path, container in _containers(model):
        region = container.repository["region"]
        if region != environment.region:
            why = f"is in {region}, but {environment.name} is in {environment.region}, where SageMaker pulls from"
            fix = f"push it there, and name it under environments.{environment.name}"
            yield (*path, "image"), f"{why}: {fix}"


def _archives(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    """The environment's network lets files in only from the buckets that it knows."""
    if not isinstance(environment.network, CreatedNetwork):
        return
    known = {*(environment.names.bucket(kind) for kind in get_args(BucketKind)), *environment.other_buckets}
    for path, container in _containers(model):
        bucket = (container.model_archive or "").removeprefix("s3://").partition("/")[0]
        if bucket and bucket not in known:
            why = f"is in the bucket {bucket}, which the network of {environment.name} has no way to"
            yield (*path, "model_archive"), f"{why}: add it to other_buckets in environments/{environment.name}.yaml"


def _containers(model: ModelConfig) -> Iterator[tuple[Path, ContainerConfig]]:
    """The containers of the owner's own, each with its place in the file."""
    endpoint = model.endpoint
    if not isinstance(endpoint, InferencePipelineEndpointConfig):
        return
    for key in ("before", "after"):
        for index, container in enumerate(getattr(endpoint, key)):
            yield ("endpoint", key, index), container


def _price(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    """A month's costs cannot be limited where nobody knows what a machine costs."""
    machine, region = model.training.instance.type, environment.region
    if model.retraining.max_usd_a_month is None or prices(region).instance_hour(machine) is not None:
        return
    why = f"is set, but no price of {machine} in {region} is known"
    fix = f"have `sagestack prices --env {environment.name}` read it, take another training.instance.type, or remove it"
    yield ("retraining", "max_usd_a_month"), f"{why}: {fix}"
