"""Classes by name out of the provider's schema: `SagemakerEndpoint` for `aws_sagemaker_endpoint`."""

from functools import cache
from types import new_class
from typing import TypeVar, cast

from infra.provider import schema
from infra.provider.arguments import did_you_mean
from infra.provider.resource import DataSource, Resource

Class = TypeVar("Class", Resource, DataSource)


def class_name(terraform_type: str) -> str:
    """`aws_sagemaker_endpoint` is `SagemakerEndpoint`."""
    return "".join(word.capitalize() for word in terraform_type.removeprefix("aws_").split("_"))


@cache
def terraform_types(kind: schema.Kind) -> dict[str, str]:
    """Terraform types by class name."""
    return {class_name(name): name for name in getattr(schema.load(), kind)}


def class_names(kind: schema.Kind) -> list[str]:
    """Every class of a kind."""
    return list(terraform_types(kind))


def make(base: type[Class], module: str, name: str) -> type[Class]:
    """The class called `name` in `module`.

    Raises:
        AttributeError: the schema has no such type; the message says how to add one.
    """
    types = terraform_types(base.kind)
    if name.startswith("_") or name not in types:
        hint = did_you_mean(name, types) or "; infra/provider/regenerate.py lists the types in use"
        raise AttributeError(f"{module} has no {name}{hint}")
    attributes = {"terraform_type": types[name], "__module__": module, "__doc__": f"`{types[name]}`."}
    return cast("type[Class]", new_class(name, (base,), exec_body=lambda namespace: namespace.update(attributes)))
