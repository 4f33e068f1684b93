"""What the server answers for one model."""

from collections.abc import Iterator
from typing import Final

import orjson

from serving.contract import EXECUTION_PARAMETERS_PATH, INVOCATIONS_PATH, MAX_BODY_BYTES
from serving.core.predictor import Predictor
from serving.described import described
from serving.express import Express
from serving.invocation import Invocations
from serving.log import Log
from serving.message import Request, Response
from serving.metrics import Metrics
from serving.pages import Pages, wrong_method

_INVOCATIONS: Final = INVOCATIONS_PATH.encode()
_MEBIBYTE: Final = 1_048_576


class Application(Pages):
    """Answers requests for one model."""

    def __init__(self, predictor: Predictor, metrics: Metrics | None = None, workers: int = 1) -> None:
        super().__init__(predictor.signature.model, predictor.evaluator, metrics)
        self.warning = predictor.warning
        self._predictor = predictor
        self._workers = workers
        self._invocations = Invocations(predictor)
        self._pages[EXECUTION_PARAMETERS_PATH.encode()] = self._execution_parameters

    def answer(self, request: Request) -> Response:
        """The scores of an invocation's rows, or a page.

        Raises:
            InputError: the rows or the options are wrong.
        """
        path = request.target if request.target == _INVOCATIONS else request.path
        if path != _INVOCATIONS:
            return self.page(request, path, INVOCATIONS_PATH)
        return self._invocations.answer(request) if request.method == b"POST" else wrong_method(path, b"POST")

    def express(self, metrics: Metrics, log: Log, request_ids: Iterator[bytes]) -> Express | None:
        """A lane of the compiled model; None if the model is not compiled."""
        return Express(self._predictor, metrics, log, request_ids) if self._predictor.compiled else None

    def ready(self) -> bytes:
        """The model's name."""
        return orjson.dumps({"status": "ready", "model": self.model})

    def description(self) -> bytes:
        """The committed description, with the model's inputs."""
        return described(self._predictor.signature)

    def _execution_parameters(self) -> Response:
        parameters = {
            "MaxConcurrentTransforms": self._workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": MAX_BODY_BYTES // _MEBIBYTE,
        }
        return Response(200, orjson.dumps(parameters))
