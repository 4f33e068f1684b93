"""The model registry as people see it: the versions of one model, what they scored and who approved them."""

from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig
from infra.errors import UserError
from infra.session import client
from training.contract import METRICS

_METRIC_NAMES = tuple(name for names in METRICS.values() for name in names)
Approval = Literal["Approved", "PendingManualApproval", "Rejected"]


@dataclass(frozen=True)
class Version:
    """One registered model package."""

    number: int
    arn: str
    approval: Approval
    approved_by: str | None
    image: str
    model_data_url: str
    properties: dict[str, str]

    @property
    def metrics(self) -> dict[str, float]:
        """The test metrics that were registered with it, by name."""
        return {name: float(self.properties[name]) for name in _METRIC_NAMES if name in self.properties}


class Registry:
    """One model's package group in one environment, or in another that it reads.

    Args:
        environment: who asks.
        model: the model's name.
        source: whose registry it is; the environment's own unless given.
    """

    def __init__(self, environment: EnvironmentConfig, model: str, source: EnvironmentConfig | None = None) -> None:
        self._sagemaker = client(environment, "sagemaker")
        names = environment.names.model(model)
        self._group = names.base if source is None else source.names.model(model).group_arn
        self._model = model

    def versions(self) -> list[Version]:
        """Every version, the newest first.

        Raises:
            UserError: the group does not exist: nothing was deployed yet.
        """
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self._group)
        try:
            packages = [package for page in pages for package in page["ModelPackageSummaryList"]]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            answer = error.response["Error"]["Message"].rstrip(".")
            raise UserError(f"{self._model}: {answer}: deploy first, so that there is a registry") from None
        found = [
            self._version(self._sagemaker.describe_model_package(ModelPackageName=p["ModelPackageArn"]))
            for p in packages
        ]
        return sorted(found, key=lambda version: version.number, reverse=True)

    def version(self, number: int) -> Version:
        """One version.

        Raises:
            UserError: there is no such version; the message lists those there are.
        """
        versions = self.versions()
        for version in versions:
            if version.number == number:
                return version
        known = ", ".join(str(version.number) for version in versions) or "none yet: train one first"
        raise UserError(f"{self._model} has no version {number}; registered: {known}")

    def newest_approved(self) -> Version:
        """The newest version that may be promoted.

        Raises:
            UserError: none is approved.
        """
        for version in self.versions():
            if version.approval == "Approved":
                return version
        name = self._model
        raise UserError(
            f"{name} has no approved version: sagestack models {name}, then sagestack approve {name} VERSION"
        )

    def approve(self, number: int, *, by: str, why: str) -> Version:
        """Approve a version; who and why is kept with it."""
        version = self.version(number)
        self._sagemaker.update_model_package(
            ModelPackageArn=version.arn,
            ModelApprovalStatus="Approved",
            ApprovalDescription=why,
            CustomerMetadataProperties=version.properties | {"approved_by": by},
        )
        return self.version(number)

    def retire(self) -> list[Version]:
        """Delete every version: a group that is not empty cannot be destroyed."""
        versions = self.versions()
        for version in versions:
            self._sagemaker.delete_model_package(ModelPackageName=version.arn)
        return versions

    @staticmethod
    def _version(package: dict[str, Any]) -> Version:
        container = package["InferenceSpecification"]["Containers"][0]
        properties = package.get("CustomerMetadataProperties", {})
        return Version(
            number=package["ModelPackageVersion"],
            arn=package["ModelPackageArn"],
            approval=package["ModelApprovalStatus"],
            approved_by=properties.get("approved_by"),
            image=container["Image"],
            model_data_url=container["ModelDataUrl"],
            properties=properties,
        )
