"""AWS resources by class name, made from the provider's schema when first used; the stub beside it types them."""

from infra.provider.aws import data
from infra.provider.classes import class_names, make
from infra.provider.resource import AwsProvider, Resource

__all__ = ["AwsProvider", "data"]  # and every resource type of the schema


def __getattr__(name: str) -> type[Resource]:
    return globals().setdefault(name, make(Resource, __name__, name))  # type: ignore[no-any-return]  # a module's globals


def __dir__() -> list[str]:
    return [*__all__, *class_names("resource")]
