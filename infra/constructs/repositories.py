"""One ECR repository an image: a tag, once pushed, always means the same bytes."""

import json
from collections.abc import Sequence
from typing import Final

from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.permissions import ServiceRole, allow, policy_document
from infra.constructs.retention import retained
from infra.constructs.sharing import PULL, shared_images
from infra.images import IMAGES, SERVING
from infra.naming import Names
from infra.provider import Construct, aws

UNTAGGED_GO: Final = {
    "rulePriority": 1,
    "description": "What no tag names is what no endpoint runs",
    "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
    "action": {"type": "expire"},
}
"""Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"""


class Repositories(Construct):
    """Immutable, scanned and encrypted repositories for the three images."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        key: EncryptionKey,
        protected: bool,
        readers: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        for image in IMAGES:
            repository = aws.EcrRepository(
                self,
                image,
                name=names.repository(image),
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration={"scan_on_push": True},
                encryption_configuration=[{"encryption_type": "KMS", "kms_key": key.arn}],
                force_delete=not protected,
                **retained(protected=protected),
            )
            aws.EcrLifecyclePolicy(
                self, f"{image}-lifecycle", repository=repository.name, policy=json.dumps({"rules": [UNTAGGED_GO]})
            )

            if readers and image == SERVING:  # what trains and watches is each environment's own
                aws.EcrRepositoryPolicy(
                    self, f"{image}-policy", repository=repository.name, policy=policy_document(shared_images(readers))
                )

    def grant_pull(self, role: ServiceRole, *images: str) -> None:
        """Pull these images."""
        prefix = f"arn:aws:ecr:{self._names.region}:{self._names.account}:repository"
        role.grant(
            allow(list(PULL), [f"{prefix}/{self._names.repository(image)}" for image in images]),
            allow(["ecr:GetAuthorizationToken"], ["*"]),  # ECR names no resource for it
        )
