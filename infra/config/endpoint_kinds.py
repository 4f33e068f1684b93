"""The union of all kinds of endpoint, by `kind`; real-time where none is named."""

from typing import Annotated, Final

from pydantic import Tag

from infra.config.asynchronous import AsynchronousEndpointConfig
from infra.config.base import kind_or
from infra.config.batch_transform import BatchTransformConfig
from infra.config.endpoint import RealTimeEndpointConfig
from infra.config.inference_pipeline import InferencePipelineEndpointConfig
from infra.config.multi_model import MultiModelEndpointConfig
from infra.config.serverless import ServerlessEndpointConfig

DEFAULT_KIND: Final = "real-time"


EndpointConfig = Annotated[
    Annotated[RealTimeEndpointConfig, Tag("real-time")]
    | Annotated[ServerlessEndpointConfig, Tag("serverless")]
    | Annotated[AsynchronousEndpointConfig, Tag("asynchronous")]
    | Annotated[MultiModelEndpointConfig, Tag("multi-model")]
    | Annotated[InferencePipelineEndpointConfig, Tag("inference-pipeline")]
    | Annotated[BatchTransformConfig, Tag("batch-transform")],
    kind_or(DEFAULT_KIND),
]
"""How a model is served; each kind has the keys that AWS has a use for, and no others."""

FleetConfig = (
    RealTimeEndpointConfig | AsynchronousEndpointConfig | MultiModelEndpointConfig | InferencePipelineEndpointConfig
)
"""The kinds whose number of instances is scaled."""


def initial_instances(settings: EndpointConfig) -> int | None:
    """Instances when an endpoint is created, where those are scaled and so no part of what is otherwise set."""
    return settings.scaling.initial_count if isinstance(settings, FleetConfig) else None
