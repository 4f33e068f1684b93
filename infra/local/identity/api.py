"""The identity modules' place among the others."""

from infra.local.cloud import LocalCloud
from infra.local.identity.cloudtrail import CloudTrail


def install(cloud: LocalCloud) -> None:
    """Answer for CloudTrail; the gate itself stands in the application, before every module."""
    cloud.routes.append(CloudTrail(cloud).route)
