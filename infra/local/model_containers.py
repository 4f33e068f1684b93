"""From a SageMaker model to what is to be run: its container, and its artifact unpacked."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import s3_files
from infra.local.engine import Container
from infra.local.validation import Json, UnsupportedOperation
from serving.contract import SERVE_COMMAND


class ModelError(Exception):
    """A model that cannot be served, in the words of an endpoint's FailureReason."""


@dataclass(frozen=True)
class ModelContainer:
    """A model's only container."""

    container: Container
    model_data_url: str | None


def of_model(sagemaker: Any, model_name: str) -> ModelContainer:  # noqa: ANN401 - a boto3 client
    """The container of a model, which names an image and its artifact, or a model package that does.

    Raises:
        ClientError: there is no such model or model package.
        UnsupportedOperation: the model cannot be served here.
    """
    model = sagemaker.describe_model(ModelName=model_name)
    containers = [model["PrimaryContainer"]] if model.get("PrimaryContainer") else model.get("Containers", [])
    if len(containers) != 1:
        raise UnsupportedOperation(f"models of {len(containers)} containers ({model_name}); use one")
    given = containers[0]
    packaged = _packaged(sagemaker, given["ModelPackageName"]) if given.get("ModelPackageName") else {}
    merged = packaged | {name: value for name, value in given.items() if value}
    if merged.get("ModelDataSource") or merged.get("Mode", "SingleModel") != "SingleModel":
        raise UnsupportedOperation(f"model {model_name}'s ModelDataSource or Mode; use ModelDataUrl and SingleModel")
    environment = packaged.get("Environment", {}) | given.get("Environment", {})
    container = Container(image=merged["Image"], arguments=(SERVE_COMMAND,), environment=environment)
    return ModelContainer(container, merged.get("ModelDataUrl"))


def unpack(s3: Any, url: str | None, folder: Path) -> None:  # noqa: ANN401 - a boto3 client
    """Download a model's artifact and unpack it into `folder`, which is empty for a model without one.

    Raises:
        ModelError: there is no such object, or it is no tar.gz.
    """
    folder.mkdir(parents=True)
    if not url:
        return
    archive = folder.with_suffix(".tar.gz")
    try:
        s3_files.fetch_object(s3, url, archive)
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except s3_files.DataNotFoundError as error:
        raise ModelError(
            f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is'
            " an object located at the URL and that the role passed to CreateModel has permissions to download it."
        ) from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ModelError(
            f'Failed to extract model data archive for container "container_1" from URL "{url}".'
            f" Please ensure that the object located at the URL is a valid tar.gz archive ({error})."
        ) from error
    finally:
        archive.unlink(missing_ok=True)


def _packaged(sagemaker: Any, name: str) -> Json:  # noqa: ANN401 - a boto3 client
    specification = sagemaker.describe_model_package(ModelPackageName=name)["InferenceSpecification"]
    (container,) = specification["Containers"]
    return {name: container[name] for name in ("Image", "ModelDataUrl", "Environment") if container.get(name)}
