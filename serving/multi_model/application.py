"""What the server answers in multi-model mode.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

from serving.contract import MODELS_PATH
from serving.core.errors import ArtifactError, InputError
from serving.lanes import Work
from serving.message import Request, Response, refusal
from serving.metrics import Metrics
from serving.multi_model.description import description
from serving.multi_model.models import LoadedError, LoadedModel, Models, NoMemoryError, NotLoadedError
from serving.options import pairs
from serving.pages import Pages, wrong_method

MAX_NAME_CHARACTERS: Final = 1024
_MODELS: Final = MODELS_PATH.encode()
_INVOKE: Final = b"invoke"
_PATHS: Final = f"{MODELS_PATH}, {MODELS_PATH}/{{name}}, {MODELS_PATH}/{{name}}/invoke"
_NEXT_PAGE: Final = "next_page_token"
Methods = dict[bytes, Callable[[], Response]]


class MultiModelApplication(Pages):
    """Loads, lists, unloads and asks models."""

    def __init__(self, models: Models, metrics: Metrics | None = None) -> None:
        super().__init__("multi-model", "each model's own", metrics)
        self._models = models

    def answer(self, request: Request) -> Response:
        """What became of a load or an unload, a list, the scores of an invocation's rows, or a page.

        Raises:
            InputError: what it asks is wrong.
        """
        path = request.path
        match path.split(b"/")[1:]:
            case [b"models"]:
                methods: Methods = {b"GET": lambda: self._list(request), b"POST": lambda: self._load(request)}
            case [b"models", name]:
                methods = {b"GET": lambda: self._tell(_name(name)), b"DELETE": lambda: self._unload(_name(name))}
            case [b"models", name, b"invoke"]:
                methods = {b"POST": lambda: self._models.asked(_name(name)).invocations.answer(request)}
            case _:
                return self.page(request, path, _PATHS)
        if request.method not in methods:
            return wrong_method(path, b", ".join(methods))
        try:
            return methods[request.method]()
        except NotLoadedError:
            return refusal(404, "there is no such model: load it first")

    def long_work(self, request: Request) -> Work | None:
        """Loading and unloading have a lane of their own."""
        loads = request.method in (b"POST", b"DELETE") and not request.path.endswith(b"/" + _INVOKE)
        return Work.LOADING if loads else super().long_work(request)

    def ready(self) -> bytes:
        """How many models are loaded."""
        return orjson.dumps({"status": "ready", "models": len(self._models)})

    def close(self) -> None:
        """End what tries models out, also in the middle of it."""
        self._models.close()

    def description(self) -> bytes:
        """The description of the single-model server with this mode's paths in the place of its own."""
        return description()

    def _load(self, request: Request) -> Response:
        name, url = _asked(request.body)
        try:
            return _notable(self._models.load(name, url), "loaded")
        except LoadedError:
            return refusal(409, "a model of that name is loaded already")
        except NoMemoryError as error:
            return refusal(507, f"{error}: unload a model first")
        except ArtifactError as error:
            raise InputError(f"the model cannot be served: {error}") from None

    def _unload(self, name: str) -> Response:
        return _notable(self._models.unload(name), "unloaded")

    def _tell(self, name: str) -> Response:
        return Response(200, orjson.dumps(_document(self._models.get(name))))

    def _list(self, request: Request) -> Response:
        models, token = self._models.page(pairs(request.target.partition(b"?")[2]).get(_NEXT_PAGE, ""))
        document: dict[str, object] = {"models": [_document(one) for one in models]}
        return Response(200, orjson.dumps(document | ({} if token is None else {"nextPageToken": token})))


def _notable(model: LoadedModel, what: str) -> Response:
    facts: dict[str, object] = {what: model.predictor.signature.model, "model_bytes": model.bytes}
    warning = model.predictor.warning
    return Response(
        200, orjson.dumps(_document(model)), facts=facts | ({"warning": warning} if warning else {}), notable=True
    )


def _document(model: LoadedModel) -> dict[str, str]:
    return {"modelName": model.name, "modelUrl": model.url}


def _asked(body: bytes) -> tuple[str, str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError('expected {"model_name": …, "url": …}')
    name, url = document.get("model_name"), document.get("url")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise InputError(f"must be a text of 1 to {MAX_NAME_CHARACTERS} characters", field="model_name")
    if not isinstance(url, str) or not url.startswith("/") or "\0" in url:
        raise InputError("must be the absolute path of an unpacked model's folder", field="url")
    return name, url


def _name(segment: bytes) -> str:
    return _text(unquote_to_bytes(segment))


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise NotLoadedError from None
