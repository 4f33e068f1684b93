"""Model packages: what is registered comes back whole, versions never repeat, and approval is an event."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from moto.sagemaker.models import sagemaker_backends

from infra.local import listing
from infra.local.cloud import LocalCloud
from infra.local.jobs.job import present, require
from infra.local.operations import Operation, replace_sagemaker
from infra.local.validation import Json, ValidationException

EVENT: Final = "SageMaker Model Package State Change"
_NOT_TOLD: Final = ("ModelPackageName", "ModelPackageGroupName", "ClientToken", "Tags")
_REPLACED: Final = ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri")


def install(cloud: LocalCloud) -> None:
    """Replace moto's model package operations."""
    replace_sagemaker(ModelPackages(cloud).operations())


@dataclass
class ModelPackage:
    """One model package, as moto's tags and search see it too (`arn`, `tags`, `response_object`)."""

    arn: str
    content: Json
    """What it was registered with, and what was changed since."""
    creation_time: datetime
    model_package_group_name: str | None = None
    version: int | None = None
    name: str | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    last_modified_time: datetime | None = None

    @property
    def response_object(self) -> Json:
        """What moto's Search shows."""
        return self.describe()

    def describe(self) -> Json:
        """The answer of DescribeModelPackage."""
        return {
            **self.content,
            **self.summary(),
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        }

    def summary(self) -> Json:
        """Its row in ListModelPackages."""
        return present(
            ModelPackageArn=self.arn,
            ModelPackageName=self.name,
            ModelPackageGroupName=self.model_package_group_name,
            ModelPackageVersion=self.version,
            ModelPackageDescription=self.content.get("ModelPackageDescription"),
            ModelPackageStatus="Completed",
            ModelApprovalStatus=self.content.get("ModelApprovalStatus"),
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
        )


class ModelPackages:
    """The operations; the packages lie in moto's store, beside their groups."""

    def __init__(self, cloud: LocalCloud) -> None:
        backend = sagemaker_backends[cloud.account][cloud.region]
        self._cloud = cloud
        self._packages: dict[str, ModelPackage] = backend.model_packages
        self._groups: dict[str, Any] = backend.model_package_groups
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """By AWS's names."""
        return {
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
            "ListModelPackages": self.list,
        }

    def create(self, request: Json) -> Json:
        """Register a package: the next version of its group, or one with a name of its own."""
        if ("ModelPackageGroupName" in request) == ("ModelPackageName" in request):
            raise ValidationException("Give either ModelPackageGroupName or ModelPackageName.")
        for member in ("ValidationSpecification", "SourceAlgorithmSpecification"):
            require(member not in request, f"model packages with {member}")
        with self._lock:
            token = request.get("ClientToken")
            if token is not None and self._tokens.get(token) in self._packages:
                return {"ModelPackageArn": self._tokens[token]}
            package = self._new(request)
            self._packages[package.arn] = package
            if token is not None:
                self._tokens[token] = package.arn
        self._emit(package)
        return {"ModelPackageArn": package.arn}

    def describe(self, request: Json) -> Json:
        """Tell all that was registered."""
        return self._find(request["ModelPackageName"]).describe()

    def update(self, request: Json) -> Json:
        """Approve or reject a package, or change what is noted on it."""
        package = self._find(request["ModelPackageArn"])
        for member in ("AdditionalInferenceSpecificationsToAdd", "ModelCard", "ModelLifeCycle"):
            require(member not in request, f"updates of a model package's {member}")
        with self._lock:
            noted = package.content.get("CustomerMetadataProperties", {}) | request.get(
                "CustomerMetadataProperties", {}
            )
            for removed in request.get("CustomerMetadataPropertiesToRemove", []):
                noted.pop(removed, None)
            changes = {member: request[member] for member in _REPLACED if member in request}
            package.content = package.content | changes | {"CustomerMetadataProperties": noted}
            package.last_modified_time = self._cloud.clock.now()
        self._emit(package)
        return {"ModelPackageArn": package.arn}

    def delete(self, request: Json) -> None:
        """Remove a package; its version number is not given again."""
        del self._packages[self._find(request["ModelPackageName"]).arn]

    def list(self, request: Json) -> Json:
        """List packages: a group's versions, or those with names of their own."""
        group = request.get("ModelPackageGroupName")
        kind = "Versioned" if group else request.get("ModelPackageType", "Unversioned")
        chosen = self._group(group).model_package_group_name if group else None
        rows = [
            {"LastModifiedTime": package.creation_time, "Name": package.model_package_group_name or package.name}
            | package.summary()
            for package in list(self._packages.values())
            if kind in ("Both", "Unversioned" if package.version is None else "Versioned")
            and chosen in (None, package.model_package_group_name)
            and request.get("ModelApprovalStatus") in (None, package.content.get("ModelApprovalStatus"))
        ]
        asked = {"SortOrder": "Ascending", **request}
        page, token = listing.page(rows, asked, name="Name", status="ModelPackageStatus")
        return {"ModelPackageSummaryList": page, "NextToken": token}

    def _new(self, request: Json) -> ModelPackage:
        content = {name: value for name, value in request.items() if name not in _NOT_TOLD}
        now, tags = self._cloud.clock.now(), list(request.get("Tags", []))
        prefix = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:model-package"
        if "ModelPackageName" in request:
            name = request["ModelPackageName"]
            if f"{prefix}/{name}" in self._packages:
                raise ValidationException(f"Model package {prefix}/{name} already exists.")
            return ModelPackage(f"{prefix}/{name}", content, now, name=name, tags=tags)
        group = self._group(request["ModelPackageGroupName"])
        group.last_version = version = getattr(group, "last_version", 0) + 1
        name = group.model_package_group_name
        return ModelPackage(f"{prefix}/{name}/{version}", content, now, name, version, tags=tags)

    def _group(self, name_or_arn: str) -> Any:  # noqa: ANN401 - moto's object
        name = name_or_arn.rsplit("/", 1)[-1]
        if name not in self._groups:
            raise ValidationException(f"Model Package Group {name} does not exist.")
        return self._groups[name]

    def _find(self, name_or_arn: str) -> ModelPackage:
        for package in list(self._packages.values()):
            if name_or_arn in (package.arn, package.name):
                return package
        raise ValidationException(f"ModelPackage {name_or_arn} does not exist.")

    def _emit(self, package: ModelPackage) -> None:
        detail = {
            name: f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
            for name, value in package.describe().items()
        }
        self._cloud.emit("aws.sagemaker", EVENT, detail, [package.arn])
