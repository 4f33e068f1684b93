"""Whether a model fits into an environment: rules that need both."""

from collections.abc import Iterator
from typing import Final

from infra.config.environment import EnvironmentConfig
from infra.config.errors import Problem
from infra.config.inference_pipeline import InferencePipelineEndpointConfig
from infra.config.model import ModelConfig
from infra.config.tree import Node, Path, key_path
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
    for path, message in (*_name(model, environment), *_images(model, environment), *_price(model, environment)):
        origin = node.nearest(path).origin
        shown = path if origin.overlay is None else ("environments", origin.overlay, *path)
        yield Problem(file, origin.line, key_path(shown), message)


def _name(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    longest = environment.names.model(model.name).release("0" * 64)
    excess = len(longest) - LONGEST_NAME
    if excess > 0:
        given = f'is "{model.name}", which {environment.names.base}- and a content hash make {len(longest)} characters'
        yield ("name",), f"{given} long, but AWS allows {LONGEST_NAME}: shorten it by {excess}"


def _images(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    """SageMaker pulls from its own region.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html (Image)
    """
    endpoint = model.endpoint
    if not isinstance(endpoint, InferencePipelineEndpointConfig):
        return
    for key in ("before", "after"):
        for index, container in enumerate(getattr(endpoint, key)):
            region = container.repository["region"]
            if region != environment.region:
                why = f"is in {region}, but {environment.name} is in {environment.region}, where SageMaker pulls from"
                fix = f"push it there, and name it under environments.{environment.name}"
                yield ("endpoint", key, index, "image"), f"{why}: {fix}"


def _price(model: ModelConfig, environment: EnvironmentConfig) -> Iterator[tuple[Path, str]]:
    """A month's costs cannot be limited where nobody knows what a machine costs."""
    machine, region = model.training.instance.type, environment.region
    if model.retraining.max_usd_a_month is None or prices(region).instance_hour(machine) is not None:
        return
    why = f"is set, but no price of {machine} in {region} is known"
    fix = f"have `sagestack prices --env {environment.name}` read it, take another training.instance.type, or remove it"
    yield ("retraining", "max_usd_a_month"), f"{why}: {fix}"
