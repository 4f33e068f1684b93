"""A service's operations, for any number of threads: moto 5.2.5 keeps botocore's own model of one for a moment.

Both classes cache under one name, the inner one first: a thread that asks in between gets a model without what moto's
has beside it, and its request fails. At a cloud's start, many first requests come at once.
"""

from botocore.model import OperationNotFoundError
from botocore.utils import instance_cache
from moto.core.model import OperationModel, ServiceModel

from infra.local.cloud import LocalCloud


def install(_: LocalCloud) -> None:
    """Have service models make moto's model of an operation and no other."""
    ServiceModel.operation_model = instance_cache(operation_model)


def operation_model(self: ServiceModel, operation_name: str) -> OperationModel:
    """The model of an operation, in moto's class.

    Raises:
        OperationNotFoundError: the service has none of that name.
    """
    try:
        description = self._service_description["operations"][operation_name]
    except KeyError:
        raise OperationNotFoundError(operation_name) from None
    return OperationModel(description, self, operation_name)
