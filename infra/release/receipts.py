"""Deploy receipts in the registry bucket: who deployed what, when, from what to what, and was it found live."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from infra.config import EnvironmentConfig, Release
from infra.config.base import Section
from infra.release.image import digest
from infra.release.intended import Intended
from infra.release.intended_batch import IntendedBatch
from infra.release.verify import Difference
from infra.session import client

RECEIPT_SCHEMA_VERSION: Final = 1


class Deployed(Section):
    """One side of a deploy."""

    version: int
    """Version in the model package group."""
    configuration: str
    """Name of the endpoint configuration; of a batch transform, of its model."""
    model_package_arn: str
    """The registered model package."""
    model_data_url: str
    """S3 URI of model.tar.gz."""
    image: str
    """URI of the serving image."""
    image_digest: str | None
    """Its digest in ECR; null if it could not be told."""


class Receipt(Section):
    """One deploy of one model, as `sagestack verify` found it."""

    schema_version: int = RECEIPT_SCHEMA_VERSION
    """Version of this format."""
    model: str
    """The model's name."""
    environment: str
    """The environment's name."""
    at: Annotated[AwareDatetime, Field(strict=False)]
    """When it was verified, in UTC."""
    by: str
    """Who verified it."""
    commit: str
    """Commit that the project stood at."""
    plan: str
    """Digest of the stack's Terraform."""
    before: Deployed | None
    """What the last receipt says was deployed; null for the first."""
    after: Deployed
    """What was deployed."""
    differences: Annotated[tuple[str, ...], Field(strict=False)]
    """How what is live differs from what was declared; none if it was verified."""

    def repeats(self, last: "Receipt | None") -> bool:
        """Whether it says of the same deploy what the last one said."""
        return last is not None and (self.plan, self.after, self.differences) == (
            last.plan,
            last.after,
            last.differences,
        )


class Receipts:
    """The receipts of one model in one environment."""

    def __init__(self, environment: EnvironmentConfig, model: str) -> None:
        self._environment, self._model = environment, model
        names = environment.names
        self._bucket, self._prefix = names.bucket("registry"), names.model(model).receipts_prefix
        self._s3 = client(environment, "s3")

    def newest_first(self) -> Iterator[Receipt]:
        """Every receipt; those of a newer format are refused, not guessed at."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for key in sorted((item["Key"] for page in pages for item in page.get("Contents", ())), reverse=True):
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            yield Receipt.model_validate_json(body, strict=False)

    def add(
        self,
        intended: Intended | IntendedBatch,
        release: Release,
        found: list[Difference],
        *,
        by: str,
        at: datetime,
        commit: str,
    ) -> str | None:
        """Write down a deploy; its URI, or None if the last receipt says the same of it.

        Args:
            intended: the endpoint or batch transform as declared.
            release: what the release lock names as current.
            found: what `differences` found.
            by: who verified it.
            at: when, in UTC.
            commit: the commit that the project stands at.
        """
        last = next(self.newest_first(), None)
        receipt = Receipt(
            model=self._model,
            environment=self._environment.name,
            at=at,
            by=by,
            commit=commit,
            plan=intended.plan,
            before=last.after if last else None,
            after=self._deployed(intended, release),
            differences=tuple(map(told, found)),
        )
        if receipt.repeats(last):
            return None
        key = f"{self._prefix}{at:%Y-%m-%dT%H:%M:%S.%fZ}.json"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=receipt.model_dump_json(indent=2).encode())
        return f"s3://{self._bucket}/{key}"

    def _deployed(self, intended: Intended | IntendedBatch, release: Release) -> Deployed:
        return Deployed(
            version=release.version,
            configuration=intended.configuration,
            model_package_arn=release.model_package_arn,
            model_data_url=release.model_data_url,
            image=release.image,
            image_digest=digest(self._environment, release.image),
        )


def told(difference: Difference) -> str:
    """A difference in a line."""
    what, declared, live = difference
    return f"{what}: declared {declared}, live {live}"
