"""Whatever the served OpenAPI description allows, and what it does not: schemathesis asks, the real server answers."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving.contract import ARROW, INVOCATIONS_PATH, JSON, MODEL_DIRECTORY, MULTI_MODEL_VARIABLE
from serving.described import OPENAPI
from serving.multi_model.description import description
from tests.unit.serving.conftest import RunningServer, start_server, stop_server

HELD = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
METHODS = {"get", "post", "delete"}
LOADED = "loaded"


@schemathesis.serializer("text/csv", "application/jsonlines", "application/x-npy", ARROW)
def as_it_is(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def labels(document: bytes) -> list[str]:
    """Every operation, as `GET /path`."""
    paths = json.loads(document)["paths"].items()
    return [f"{method.upper()} {path}" for path, item in paths for method in sorted(METHODS & item.keys())]


@pytest.fixture(scope="module")
def many_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    root = tmp_path_factory.mktemp("ml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MULTI_MODEL_VARIABLE, "true")
        running = start_server(root, root / "log")
    yield running
    assert stop_server(running) == 0


BOUNDED = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def ask(server: RunningServer, label: str) -> Counter[int]:
    """How often the server answered what to thirty requests of an operation; each answer is as described."""
    method, path = label.split()
    document = server.ask("GET", "/openapi.json").document
    operation = schemathesis.openapi.from_dict(document)[path][method]
    statuses: Counter[int] = Counter()

    @BOUNDED
    @given(data=st.data())
    def each(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if case.path_parameters and data.draw(st.booleans()):
            case.path_parameters["name"] = LOADED
        response = case.call(base_url=f"http://127.0.0.1:{server.port}")
        case.validate_response(response, checks=HELD)
        statuses[response.status_code] += 1

    each()
    assert server.ask("GET", "/ping").status == 200
    return statuses


@pytest.mark.parametrize("label", labels(OPENAPI.read_bytes()))
def test_one_model_answers_as_described(server: RunningServer, label: str) -> None:
    assert (400 if label.startswith("POST") else 200) in ask(server, label)


@pytest.mark.parametrize("label", labels(description()))
def test_many_models_answer_as_described(many_models: RunningServer, ml_root: Path, label: str) -> None:
    body = json.dumps({"model_name": LOADED, "url": str(ml_root / MODEL_DIRECTORY)}).encode()
    assert many_models.ask("POST", "/models", body).status in (200, 409)
    statuses = ask(many_models, label)
    assert (400 if label.startswith("POST") else 200) in statuses
    assert 404 in statuses or "{name}" not in label


def test_every_row_that_the_description_allows_is_scored(server: RunningServer) -> None:
    document = server.ask("GET", "/openapi.json").document
    post = document["paths"][INVOCATIONS_PATH]["post"]
    post["parameters"].clear()
    post["requestBody"]["content"] = {JSON: post["requestBody"]["content"][JSON]}
    document["components"]["schemas"]["Rows"]["oneOf"].pop()  # that columns are of one length, no schema can say
    operation = schemathesis.openapi.from_dict(document)[INVOCATIONS_PATH]["POST"]

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def each(case: schemathesis.Case) -> None:
        assert case.call(base_url=f"http://127.0.0.1:{server.port}").status_code == 200

    each()
