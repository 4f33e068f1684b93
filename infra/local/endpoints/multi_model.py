"""Multi-model containers: archives fetched from S3 when they are first named, loaded and unloaded through /models.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

import hashlib
import json
import shutil
import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from infra.local.endpoints.exchange import Answer, Request
from infra.local.endpoints.serving_process import ServingProcess
from infra.local.model_containers import ModelContainer, unpack
from serving.contract import MODELS_PATH

MICROSECONDS: Final = 1e6
LOADED: Final = (HTTPStatus.OK, HTTPStatus.CONFLICT)
"""What a container answers when a model is loaded now, or was before."""
Measured = dict[tuple[str, str], float]


class Archives:
    """The archives below a container's prefix, fetched once however many instances load them."""

    def __init__(self, s3: Any, container: ModelContainer, folder: Path) -> None:  # noqa: ANN401 - a boto3 client
        self._s3 = s3
        self._container = container
        self._folder = folder
        self._fetching: dict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def is_cached(self) -> bool:
        """Whether models stay loaded after they have answered."""
        return self._container.caches_models

    def fetch(self, target: str) -> Path:
        """The folder that an archive is unpacked in.

        Raises:
            ModelError: there is no such archive.
        """
        folder = self._folder / model_name(target) / "model"
        with self._fetching[target]:
            if not folder.exists():
                url = f"{(self._container.model_data_url or '').rstrip('/')}/{target.lstrip('/')}"
                try:
                    unpack(self._s3, replace(self._container, model_data_url=url), folder)
                except BaseException:
                    shutil.rmtree(folder.parent, ignore_errors=True)
                    raise
        return folder


class LoadedModels:
    """Which models one container has loaded, those asked for longest ago first; none goes while it is being asked."""

    def __init__(self, process: ServingProcess, archives: Archives) -> None:
        self._process = process
        self._archives = archives
        self._loaded: OrderedDict[str, None] = OrderedDict()
        self._asked: Counter[str] = Counter()
        self._is_loading = False
        self._changed = threading.Condition()

    def ask(self, target: str, request: Request) -> Answer:
        """Have a model answer, loading it first if it is not loaded.

        Raises:
            ModelError: there is no such archive.
            NotAnsweredError, TimeoutError: the container did not answer.
        """
        name, began = model_name(target), time.perf_counter()
        measured: Measured = {("ModelCacheHit", "None"): float(name in self._loaded)}
        with self._held(name):
            answer = self._load(target, measured)
            if answer is None:
                measured["ModelLoadingWaitTime", "Microseconds"] = (time.perf_counter() - began) * MICROSECONDS
                answer = self._invoke(name, request)
            if answer.status == HTTPStatus.NOT_FOUND:  # the container has made room by itself
                self._forget(name)
                answer = self._load(target, measured) or self._invoke(name, request)
        if not self._archives.is_cached:
            self._unload(name)
        return replace(answer, measured=measured)

    @contextmanager
    def _held(self, name: str) -> Iterator[None]:
        with self._changed:
            self._asked[name] += 1
        try:
            yield
        finally:
            with self._changed:
                self._asked[name] -= 1
                self._changed.notify_all()

    def _invoke(self, name: str, request: Request) -> Answer:
        path = f"{MODELS_PATH}/{name}/invoke"
        with self._changed:
            if name in self._loaded:
                self._loaded.move_to_end(name)
        return self._process.send("POST", path, request.body, request.headers, timeout_seconds=request.timeout_seconds)

    def _load(self, target: str, measured: Measured) -> Answer | None:
        """Load a model unless it is loaded, one after the other; the container's answer if it does not."""
        name = model_name(target)
        with self._changed:
            self._changed.wait_for(lambda: name in self._loaded or not self._is_loading)
            if name in self._loaded:
                return None
            self._is_loading = True
        try:
            return self._load_now(target, measured)
        finally:
            with self._changed:
                self._is_loading = False
                self._changed.notify_all()

    def _load_now(self, target: str, measured: Measured) -> Answer | None:
        name, began = model_name(target), time.perf_counter()
        folder = self._archives.fetch(target)
        measured["ModelDownloadingTime", "Microseconds"] = (time.perf_counter() - began) * MICROSECONDS
        began = time.perf_counter()
        body = json.dumps({"model_name": name, "url": str(folder)}).encode()
        while True:
            answer = self._process.send("POST", MODELS_PATH, body, {"Content-Type": "application/json"})
            if answer.status != HTTPStatus.INSUFFICIENT_STORAGE or not self._make_room():
                break
        if answer.status not in LOADED:
            return answer
        measured["ModelLoadingTime", "Microseconds"] = (time.perf_counter() - began) * MICROSECONDS
        with self._changed:
            self._loaded[name] = None
        return None

    def _make_room(self) -> bool:
        """Unload a model that is not being asked, if need be once it no longer is; False if none is loaded."""
        with self._changed:
            self._changed.wait_for(lambda: not self._loaded or self._idle() is not None)
            oldest = self._idle()
        if oldest is None:
            return False
        self._unload(oldest)
        return True

    def _idle(self) -> str | None:
        return next((name for name in self._loaded if not self._asked[name]), None)

    def _unload(self, name: str) -> None:
        self._forget(name)
        self._process.send("DELETE", f"{MODELS_PATH}/{name}")

    def _forget(self, name: str) -> None:
        with self._changed:
            self._loaded.pop(name, None)


def model_name(target: str) -> str:
    """What a container is told a model is called: any key fits into a path."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]
