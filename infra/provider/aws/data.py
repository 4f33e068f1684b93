"""AWS data sources by class name, made from the provider's schema when first used; the stub beside it types them."""

from infra.provider.classes import class_names, make
from infra.provider.resource import DataSource


def __getattr__(name: str) -> type[DataSource]:
    return globals().setdefault(name, make(DataSource, __name__, name))  # type: ignore[no-any-return]  # a module's globals


def __dir__() -> list[str]:
    return class_names("data")
