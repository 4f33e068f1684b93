"""SageMaker's models, endpoint configurations and model package groups, told as they were created."""

import json
from collections.abc import Callable
from typing import Any, Final

import botocore.session
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ConflictException, ValidationError
from moto.sagemaker.models import FakeEndpointConfig
from moto.sagemaker.responses import SageMakerResponse

from infra.local.cloud import LocalCloud

Handler = Callable[[SageMakerResponse], ActionResult]

DESCRIBED_AS_CREATED: Final = (
    ("model", "ModelName", "_models"),
    ("endpoint_config", "EndpointConfigName", "endpoint_configs"),
)
"""moto's name, the request's key, and where moto keeps them: what AWS describes of these is what it was told."""
NOT_DESCRIBED: Final = ("Tags",)
HONEST: Final = ("create_model", "create_endpoint_config", "create_model_package_group", "create_pipeline")
"""What moto creates is all there is to it. Its other `create_` and `start_` operations say that something runs which
does not: they are taken away, and those that a module of the local cloud makes real come back with it."""
MISSING_GROUP_POLICY: Final = "Cannot find Model Package Group Policy for {}."


def install(_: LocalCloud) -> None:
    """Put the handlers in place."""
    for name in dir(SageMakerResponse):
        if name.startswith(("create_", "start_")) and name not in HONEST:
            delattr(SageMakerResponse, name)
    for noun, key, store in DESCRIBED_AS_CREATED:
        _describe_as_created(noun, key, store)
    FakeEndpointConfig.validate_instance_type = _check_instance_type
    for handler in (
        delete_model_package_group,
        put_model_package_group_policy,
        get_model_package_group_policy,
        delete_model_package_group_policy,
    ):
        setattr(SageMakerResponse, handler.__name__, handler)


def delete_model_package_group(response: SageMakerResponse) -> ActionResult:
    """Delete an empty group; AWS refuses one that still has versions."""
    group = _group(response)
    backend, name = response.sagemaker_backend, group.model_package_group_name
    if any(package.model_package_group_name == name for package in backend.model_packages.values()):
        raise ConflictException(f"Model Package Group cannot be deleted because it is not empty: {group.arn}.")
    del backend.model_package_groups[name]
    return EmptyResult()


def put_model_package_group_policy(response: SageMakerResponse) -> ActionResult:
    """Attach a resource policy to a group."""
    group, policy = _group(response), response.params["ResourcePolicy"]
    try:
        json.loads(policy)
    except ValueError as error:
        raise ValidationError(f"The resource policy is not valid JSON: {error}.") from None
    group.resource_policy = policy
    return ActionResult({"ModelPackageGroupArn": group.arn})


def get_model_package_group_policy(response: SageMakerResponse) -> ActionResult:
    """Tell a group's resource policy."""
    group = _group(response)
    policy = getattr(group, "resource_policy", None)
    if policy is None:
        raise ValidationError(MISSING_GROUP_POLICY.format(group.arn))
    return ActionResult({"ResourcePolicy": policy})


def delete_model_package_group_policy(response: SageMakerResponse) -> ActionResult:
    """Take a group's resource policy away."""
    group = _group(response)
    if getattr(group, "resource_policy", None) is None:
        raise ValidationError(MISSING_GROUP_POLICY.format(group.arn))
    group.resource_policy = None
    return EmptyResult()


def _group(response: SageMakerResponse) -> Any:  # noqa: ANN401 - moto's ModelPackageGroup
    name = response.params["ModelPackageGroupName"].rpartition("/")[2]
    return response.sagemaker_backend.describe_model_package_group(name)


def _describe_as_created(noun: str, key: str, store: str) -> None:
    create: Handler = getattr(SageMakerResponse, f"create_{noun}")
    describe: Handler = getattr(SageMakerResponse, f"describe_{noun}")

    def create_once(response: SageMakerResponse) -> ActionResult:
        existing, name = getattr(response.sagemaker_backend, store), response.params[key]
        if name in existing:
            raise ValidationError(f'Cannot create already existing {noun.replace("_", " ")} "{existing[name].arn}".')
        result = create(response)
        existing[name].request = {k: v for k, v in response.params.items() if k not in NOT_DESCRIBED}
        return result

    def describe_request(response: SageMakerResponse) -> ActionResult:
        told = {name: value for name, value in describe(response).result.items() if value or value is False}
        return ActionResult(told | getattr(response.sagemaker_backend, store)[response.params[key]].request)

    setattr(SageMakerResponse, f"create_{noun}", create_once)
    setattr(SageMakerResponse, f"describe_{noun}", describe_request)


def _check_instance_type(_: FakeEndpointConfig, instance_type: str) -> None:
    known = _instance_types()
    if instance_type not in known:
        raise ValidationError(
            f"1 validation error detected: Value '{instance_type}' at 'productionVariants.1.member.instanceType' "
            f"failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(known)}]"
        )


def _instance_types() -> list[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    known: list[str] = model.shape_for("ProductionVariantInstanceType").enum
    return known
