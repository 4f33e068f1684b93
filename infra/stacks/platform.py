"""`<env>-platform`: what an environment's models share."""

from infra.config import EnvironmentConfig
from infra.constructs.platform import Platform
from infra.naming import PLATFORM
from infra.provider import App
from infra.stacks.base import EnvironmentStack


class PlatformStack(EnvironmentStack):
    """The stateful stack: key, buckets, repositories, topic."""

    def __init__(self, app: App, *, environment: EnvironmentConfig, source: EnvironmentConfig | None) -> None:
        super().__init__(app, f"{environment.name}-{PLATFORM}", environment=environment, tags={})
        self.platform = Platform(self, "platform", environment=environment, source=source)
