"""What the serving image promises to whoever runs it: SageMaker's real-time inference contract and our file names.

Standard library only: the infrastructure, the other images and the local cloud import these names, so that the one who
writes a name and the one who reads it cannot differ.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from collections.abc import Mapping
from itertools import count, takewhile
from typing import Final

IMAGE: Final = "serving"
ENTRYPOINT: Final = ("python", "-m", "serving")
SERVE_COMMAND: Final = "serve"
"""SageMaker starts an inference container as `<image> serve`."""

ML_ROOT_VARIABLE: Final = "SAGESTACK_ML_ROOT"
"""Moves `/opt/ml` elsewhere, for a machine that has no `/opt/ml` of its own to give."""
DEFAULT_ML_ROOT: Final = "/opt/ml"
MODEL_DIRECTORY: Final = "model"
"""Below the ML root: the unpacked `model.tar.gz`."""
FAILURE_FILE: Final = "output/failure"
"""Below the ML root: the first 1,024 characters become a training job's FailureReason."""
MESSAGE_FILE: Final = "output/message"
"""Below the ML root: the first 1,024 bytes become a processing job's ExitMessage."""

PORT_VARIABLE: Final = "SAGEMAKER_BIND_TO_PORT"
DEFAULT_PORT: Final = 8080
HOST_VARIABLE: Final = "SAGESTACK_BIND_HOST"
"""A container binds to every interface of its own network namespace; a bare process is told 127.0.0.1."""

WORKERS_VARIABLE: Final = "SAGESTACK_WORKERS"
"""How many processes answer: a number, or `cores`; 1 unless set."""
WORKERS_PER_CORE: Final = "cores"
TREES_LIBRARY_VARIABLE: Final = "SAGESTACK_TREES_LIBRARY"
"""The compiled reader and tree walk, a shared library; without it Python reads and LightGBM itself scores."""

MULTI_MODEL_VARIABLE: Final = "SAGEMAKER_MULTI_MODEL"
"""SageMaker sets it to `true` in a container of mode MultiModel."""
MODELS_MEMORY_VARIABLE: Final = "SAGESTACK_MODELS_MEMORY_MB"
"""What the loaded models may take together, in MiB; seven tenths of the memory there is unless set."""
MODELS_EVICT_VARIABLE: Final = "SAGESTACK_MODELS_EVICT"
"""`true`: models not asked for longest make room for a new one; else it is refused with 507, and SageMaker does."""
MODELS_PATH: Final = "/models"

MAX_BODY_BYTES: Final = 6_291_456
PING_PATH: Final = "/ping"
INVOCATIONS_PATH: Final = "/invocations"
EXECUTION_PARAMETERS_PATH: Final = "/execution-parameters"
"""What a batch transform job asks first."""
METRICS_PATH: Final = "/metrics"
OPENAPI_PATH: Final = "/openapi.json"
METRIC_NAMESPACE: Final = "sagestack/serving"
REQUEST_ID_HEADER: Final = "X-Request-Id"
INFERENCE_ID_HEADER: Final = "X-Amzn-SageMaker-Inference-Id"
CUSTOM_ATTRIBUTES_HEADER: Final = "X-Amzn-SageMaker-Custom-Attributes"

CSV: Final = "text/csv"
JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonlines"
NPY: Final = "application/x-npy"
ARROW: Final = "application/vnd.apache.arrow.stream"

MODEL_FILE: Final = "model.txt"
SIGNATURE_FILE: Final = "signature.json"
SIGNATURE_SCHEMA_VERSION: Final = 1

MAX_ENVIRONMENT_VALUE: Final = 256
"""SageMaker refuses a longer value in a processing job's Environment (512 in a training job's).

Source: botocore's service model, ProcessingEnvironmentValue and TrainingEnvironmentValue.
"""


def split_variable(name: str, text: str) -> dict[str, str]:
    """`text` as environment variables that SageMaker takes: `name`, and `name_2`, `name_3`, … if it is long."""
    parts = [text[i : i + MAX_ENVIRONMENT_VALUE] for i in range(0, max(len(text), 1), MAX_ENVIRONMENT_VALUE)]
    return {_part(name, number): part for number, part in enumerate(parts, start=1)}


def join_variable(name: str, environment: Mapping[str, str]) -> str:
    """The text that `split_variable` spread; empty if `name` is not set."""
    parts = (environment.get(_part(name, number), "") for number in count(1))
    return "".join(takewhile(bool, parts))


def _part(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"
