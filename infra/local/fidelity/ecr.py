"""ECR's images: a repository named after one of our packages has them under every content tag, as engines run them."""

import hashlib
import json
import re
from typing import Final

from moto.core.responses import ActionResult
from moto.ecr.exceptions import ImageNotFoundException
from moto.ecr.responses import ECRResponse

from infra.images import IMAGES, TAG_LENGTH
from infra.local.cloud import LocalCloud

CONTENT_TAG: Final = re.compile(f"[0-9a-f]{{{TAG_LENGTH}}}")


def install(_: LocalCloud) -> None:
    """Answer for images that nobody has pushed, because nobody has to."""
    pushed = ECRResponse.describe_images

    def describe_images(response: ECRResponse) -> ActionResult:
        try:
            return pushed(response)
        except ImageNotFoundException:
            asked = json.loads(response.body)
            repository, wanted = asked["repositoryName"], [one.get("imageTag", "") for one in asked["imageIds"]]
            if repository.rpartition("/")[2] not in IMAGES or not all(map(CONTENT_TAG.fullmatch, wanted)):
                raise
            return ActionResult({"imageDetails": [_image(repository, tag) for tag in wanted]})

    ECRResponse.describe_images = describe_images


def _image(repository: str, tag: str) -> dict[str, object]:
    digest = hashlib.sha256(f"{repository}:{tag}".encode()).hexdigest()
    return {"repositoryName": repository, "imageDigest": f"sha256:{digest}", "imageTags": [tag]}
