"""Another environment's registry, which this one releases from: read where it is, nothing is copied."""

from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.sharing import PULL, through_s3
from infra.naming import Names


class RegistrySource:
    """What roles here take to read there; over there, its policies must allow this account (`shares_registry_with`)."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.bucket = names.bucket("registry")

    def grant_read(self, role: ServiceRole, model: str) -> None:
        """Read one model's artifacts, baselines and evaluations.

        The key's ARN is known over there alone; what it may be used for stands in the conditions.
        """
        names, arn = self.names, f"arn:aws:s3:::{self.bucket}"
        role.grant(
            allow(["s3:GetObject"], [f"{arn}/{model}/*"]),
            allow(["s3:ListBucket"], [arn], StringLike={"s3:prefix": [f"{model}/*"]}),
            allow(
                ["kms:Decrypt"],
                [f"arn:aws:kms:{names.region}:{names.account}:key/*"],
                StringEquals=through_s3(names.region),
                StringLike={"kms:EncryptionContext:aws:s3:arn": [arn, f"{arn}/{model}/*"]},
            ),
        )

    def grant_pull(self, role: ServiceRole, image: str) -> None:
        """Pull one image."""
        names = self.names
        repository = f"arn:aws:ecr:{names.region}:{names.account}:repository/{names.repository(image)}"
        role.grant(allow(list(PULL), [repository]))
