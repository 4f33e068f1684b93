"""What threads of a local cloud may see of a service's operations."""

import pytest
from botocore.model import OperationNotFoundError
from moto.core.model import OperationModel, ServiceModel

from infra.local import service_models

DESCRIPTION = {"metadata": {}, "operations": {"Ask": {"name": "Ask", "http": {"method": "GET", "requestUri": "/ask"}}}}


class Seen(dict):
    """A cache that remembers all that was ever in it, as another thread might have found it."""

    def __init__(self):
        self.values_so_far = []

    def __setitem__(self, key, value):
        self.values_so_far.append(value)
        super().__setitem__(key, value)


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setattr(ServiceModel, "operation_model", ServiceModel.operation_model)  # put back in the end
    service_models.install(None)
    service = ServiceModel(DESCRIPTION, "asking")
    service._instance_cache = Seen()
    return service


def test_no_thread_ever_finds_an_operation_without_what_moto_adds_to_it(service):
    assert service.operation_model("Ask").http_trait.path == "/ask"
    assert [type(one) for one in service._instance_cache.values_so_far] == [OperationModel]


def test_an_operation_that_there_is_not_is_told_as_botocore_does(service):
    with pytest.raises(OperationNotFoundError):
        service.operation_model("Answer")
