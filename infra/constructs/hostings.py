"""Which kind of hosting goes with which kind of endpoint settings."""

from infra.config import (
    AsynchronousEndpointConfig,
    BatchTransformConfig,
    EndpointConfig,
    InferencePipelineEndpointConfig,
    MultiModelEndpointConfig,
    ServerlessEndpointConfig,
)
from infra.constructs.asynchronous import AsynchronousHosting
from infra.constructs.hosting import Hosting
from infra.constructs.inference_pipeline import InferencePipelineHosting
from infra.constructs.multi_model import MultiModelHosting
from infra.constructs.platform import Platform
from infra.constructs.real_time import RealTimeHosting
from infra.constructs.serverless import ServerlessHosting
from infra.naming import ModelNames


def hosting(settings: EndpointConfig, names: ModelNames, platform: Platform) -> Hosting:
    """How a model with these settings is hosted.

    Raises:
        ValueError: it has no endpoint.
    """
    match settings:
        case ServerlessEndpointConfig():
            return ServerlessHosting(names, platform, settings)
        case AsynchronousEndpointConfig():
            return AsynchronousHosting(names, platform, settings)
        case MultiModelEndpointConfig():
            return MultiModelHosting(names, platform, settings)
        case InferencePipelineEndpointConfig():
            return InferencePipelineHosting(names, platform, settings)
        case BatchTransformConfig():
            raise ValueError(f"{names.model} has no endpoint to host")
    return RealTimeHosting(names, platform, settings)
