"""What an endpoint is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus

INVOCATION_SECONDS = 60.0
"""How long a container may take, unless the request is an asynchronous one."""
ONLY_CONTAINER = "primary"
"""What AWS calls the container of a model that has but one."""


@dataclass(frozen=True)
class Request:
    """One invocation, on its way to a container."""

    body: bytes
    headers: Mapping[str, str]
    """Those that reach the container."""
    target_model: str | None = None
    """Of a multi-model endpoint: the archive's key below the model's prefix."""
    target_container: str | None = None
    """Of a model whose containers are invoked directly."""
    timeout_seconds: float = INVOCATION_SECONDS


@dataclass(frozen=True)
class Answer:
    """What a container answered."""

    status: int
    headers: Message
    body: bytes
    container: str = ONLY_CONTAINER
    """Which one; errors name it."""
    measured: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Metrics of its kind of endpoint, by name and unit, beside those of every invocation."""
    container_seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each container took, where there are several."""

    @property
    def is_success(self) -> bool:
        """Whether its status is of the two hundreds."""
        return self.status // 100 == HTTPStatus.OK // 100
