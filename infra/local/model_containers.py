"""From a SageMaker model to what is to be run: its containers, and their artifacts unpacked."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import s3_files
from infra.local.endpoints.exchange import ONLY_CONTAINER
from infra.local.engine import Container
from infra.local.validation import Json, UnsupportedOperation
from serving.contract import MULTI_MODEL_VARIABLE, SERVE_COMMAND

UNSUPPORTED = ("ModelDataSource", "AdditionalModelDataSources", "ImageConfig")


class ModelError(Exception):
    """A model that cannot be served, in the words of an endpoint's FailureReason."""


@dataclass(frozen=True)
class ModelContainer:
    """One of a model's containers."""

    name: str
    container: Container
    model_data_url: str | None
    """Its archive in S3; the prefix of its archives if it serves several models."""
    is_multi_model: bool = False
    caches_models: bool = True
    """Whether the models of several stay loaded."""


@dataclass(frozen=True)
class ServedModel:
    """A model as it is run."""

    containers: tuple[ModelContainer, ...]
    role_arn: str
    """Of its execution role."""
    is_isolated: bool = False
    """Whether its containers have no network."""
    is_direct: bool = False
    """Whether a request is for one container, instead of going through all of them."""

    @property
    def images(self) -> tuple[str, ...]:
        """What its containers are started from."""
        return tuple(each.container.image for each in self.containers)

    @property
    def is_multi_model(self) -> bool:
        """Whether a request names the model that is to answer it."""
        return self.containers[0].is_multi_model


def of_model(sagemaker: Any, model_name: str) -> ServedModel:  # noqa: ANN401 - a boto3 client
    """A model's containers, each of which names an image and its artifact, or a model package that does.

    Raises:
        ClientError: there is no such model or model package.
        UnsupportedOperation: the model cannot be served here.
    """
    model = sagemaker.describe_model(ModelName=model_name)
    role_arn, is_isolated = model["ExecutionRoleArn"], bool(model.get("EnableNetworkIsolation"))
    if given := model.get("PrimaryContainer"):
        return ServedModel((_container(sagemaker, model_name, ONLY_CONTAINER, given),), role_arn, is_isolated)
    containers = tuple(
        _container(sagemaker, model_name, given.get("ContainerHostname", f"container-{number}"), given)
        for number, given in enumerate(model.get("Containers", []), 1)
    )
    if not containers:
        raise UnsupportedOperation(f"models without a container ({model_name})")
    if len(containers) > 1 and any(container.is_multi_model for container in containers):
        raise UnsupportedOperation(f"MultiModel containers in an inference pipeline ({model_name})")
    is_direct = model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    return ServedModel(containers, role_arn, is_isolated, is_direct)


def unpack(s3: Any, container: ModelContainer, folder: Path) -> None:  # noqa: ANN401 - a boto3 client
    """Download a container's artifact and unpack it into `folder`, which is empty for a model without one.

    Raises:
        ModelError: there is no such object, or it is no tar.gz.
    """
    folder.mkdir(parents=True)
    url, name = container.model_data_url, container.name
    if not url:
        return
    archive = folder.with_suffix(".tar.gz")
    try:
        s3_files.fetch_object(s3, url, archive)
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except s3_files.DataNotFoundError as error:
        raise ModelError(
            f'Failed to download model data for container "{name}" from URL: "{url}". Please ensure that there is'
            " an object located at the URL and that the role passed to CreateModel has permissions to download it."
        ) from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ModelError(
            f'Failed to extract model data archive for container "{name}" from URL "{url}".'
            f" Please ensure that the object located at the URL is a valid tar.gz archive ({error})."
        ) from error
    finally:
        archive.unlink(missing_ok=True)


def _container(sagemaker: Any, model: str, name: str, given: Json) -> ModelContainer:  # noqa: ANN401
    packaged = _packaged(sagemaker, given["ModelPackageName"]) if given.get("ModelPackageName") else {}
    merged = packaged | {key: value for key, value in given.items() if value}
    for member in UNSUPPORTED:
        if merged.get(member):
            raise UnsupportedOperation(f"{member} of model {model}; use Image and ModelDataUrl")
    several = merged.get("Mode") == "MultiModel"
    environment = packaged.get("Environment", {}) | given.get("Environment", {})
    if several:
        environment = {MULTI_MODEL_VARIABLE: "true", **environment}
    container = Container(image=merged["Image"], arguments=(SERVE_COMMAND,), environment=environment)
    caches = merged.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled") == "Enabled"
    return ModelContainer(name, container, merged.get("ModelDataUrl"), several, caches)


def _packaged(sagemaker: Any, name: str) -> Json:  # noqa: ANN401 - a boto3 client
    specification = sagemaker.describe_model_package(ModelPackageName=name)["InferenceSpecification"]
    (container,) = specification["Containers"]
    return {name: container[name] for name in ("Image", "ModelDataUrl", "Environment") if container.get(name)}
