"""Multi-model containers: archives fetched from S3 when they are first named, loaded and unloaded through /models.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

import hashlib
import json
import shutil
import threading
import time
from collections import OrderedDict, defaultdict
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from infra.local.exchange import Answer, Request
from infra.local.model_containers import ModelContainer, unpack
from infra.local.serving_process import ServingProcess
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
    """Which models one container has loaded, those asked for longest ago first."""

    def __init__(self, process: ServingProcess, archives: Archives) -> None:
        self._process = process
        self._archives = archives
        self._loaded: OrderedDict[str, None] = OrderedDict()
        self._changing = threading.Lock()

    def ask(self, target: str, request: Request) -> Answer:
        """Have a model answer, loading it first if it is not loaded.

        Raises:
            ModelError: there is no such archive.
            NotAnsweredError, TimeoutError: the container did not answer.
        """
        name, began = model_name(target), time.perf_counter()
        measured: Measured = {("ModelCacheHit", "None"): float(name in self._loaded)}
        answer = None if name in self._loaded else self._load(target, measured)
        if answer is None:
            waited_seconds = time.perf_counter() - began
            answer = self._invoke(name, request)
            if answer.status == HTTPStatus.NOT_FOUND:  # unloaded meanwhile, to make room
                answer = self._load(target, measured) or self._invoke(name, request)
            measured["ModelLoadingWaitTime", "Microseconds"] = waited_seconds * MICROSECONDS
        if not self._archives.is_cached:
            self._unload(name)
        return replace(answer, measured=measured)

    def _invoke(self, name: str, request: Request) -> Answer:
        path = f"{MODELS_PATH}/{name}/invoke"
        with self._changing:
            if name in self._loaded:
                self._loaded.move_to_end(name)
        return self._process.send("POST", path, request.body, request.headers, timeout_seconds=request.timeout_seconds)

    def _load(self, target: str, measured: Measured) -> Answer | None:
        """Load a model; the container's answer if it does not."""
        name, began = model_name(target), time.perf_counter()
        folder = self._archives.fetch(target)
        measured["ModelDownloadingTime", "Microseconds"] = (time.perf_counter() - began) * MICROSECONDS
        began = time.perf_counter()
        body = json.dumps({"model_name": name, "url": str(folder)}).encode()
        while True:
            answer = self._process.send("POST", MODELS_PATH, body, {"Content-Type": "application/json"})
            if answer.status != HTTPStatus.INSUFFICIENT_STORAGE or not self._unload_oldest(name):
                break
        if answer.status not in LOADED:
            return answer
        measured["ModelLoadingTime", "Microseconds"] = (time.perf_counter() - began) * MICROSECONDS
        with self._changing:
            self._loaded[name] = None
        return None

    def _unload_oldest(self, but: str) -> bool:
        """Make room; False if there is none to be made."""
        with self._changing:
            oldest = next((name for name in self._loaded if name != but), None)
        if oldest is None:
            return False
        self._unload(oldest)
        return True

    def _unload(self, name: str) -> None:
        with self._changing:
            self._loaded.pop(name, None)
        self._process.send("DELETE", f"{MODELS_PATH}/{name}")


def model_name(target: str) -> str:
    """What a container is told a model is called: any key fits into a path."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]
