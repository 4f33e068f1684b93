"""Images in ECR: is the one that is named there, and which is it?"""

import re
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig
from infra.session import client

ECR_IMAGE: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.[\w-]+\.amazonaws\.com/(?P<repository>[^:@]+)(:(?P<tag>[^@]+)|@(?P<digest>.+))"
)
ABSENT: Final = ("ImageNotFoundException", "RepositoryNotFoundException")


def digest(environment: EnvironmentConfig, image: str) -> str | None:
    """The digest that an image's tag stands for; None if there is no such image in ECR.

    Args:
        environment: whose ECR is asked.
        image: its URI, with a tag or a digest.
    """
    parts = ECR_IMAGE.fullmatch(image)
    if parts is None:
        return None
    wanted = {"imageDigest": parts["digest"]} if parts["digest"] else {"imageTag": parts["tag"]}
    try:
        answer = client(environment, "ecr").describe_images(
            registryId=parts["account"], repositoryName=parts["repository"], imageIds=[wanted]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    return str(answer["imageDetails"][0]["imageDigest"])


def deployed_digest(deployed: dict[str, Any]) -> str | None:
    """The digest in one of DescribeEndpoint's `DeployedImages`; None if it was not told."""
    _, at, found = deployed.get("ResolvedImage", "").partition("@")
    return found if at else None
