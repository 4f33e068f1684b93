"""The tags of what Terraform does not make: jobs, which SageMaker makes of a request, and which are what costs."""

from typing import Final

from infra.provider import Construct

TAGS_CONTEXT: Final = "tags"
"""A stack's context with the tags that Terraform gives to everything in it."""


def job_tags(scope: Construct) -> list[dict[str, str]]:
    """The stack's tags as SageMaker's API takes them."""
    tags: dict[str, str] = scope.node.try_get_context(TAGS_CONTEXT)
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
