"""Putting an operation of ours in the place of moto's: a function from the request to the answer."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.responses import SageMakerResponse

from infra.local import validation
from infra.local.validation import Json

Operation = Callable[[Json], Json | None]


def replace_sagemaker(operations: Mapping[str, Operation]) -> None:
    """Answer the SageMaker operations named (`CreateTrainingJob`) by these functions, each request checked first."""
    replace(SageMakerResponse, "sagemaker", operations)


def replace(responses: type[BaseResponse], service: str, operations: Mapping[str, Operation]) -> None:
    """The same for any service, by boto3's name of it, whose responses have their parameters parsed."""
    for name, operation in operations.items():
        setattr(responses, camelcase_to_underscores(name), _handler(service, name, operation))


def _handler(service: str, name: str, operation: Operation) -> Callable[[BaseResponse], ActionResult]:
    def handle(response: Any) -> ActionResult:  # noqa: ANN401 - moto's response object
        validation.check(service, name, response.params)
        return ActionResult(operation(response.params))

    handle.__name__ = camelcase_to_underscores(name)
    return handle
