"""The stacks: `<env>-platform`, and `<env>-<model>` for every model."""

from infra.stacks.model import ModelStack
from infra.stacks.platform import PlatformStack

__all__ = ["ModelStack", "PlatformStack"]
