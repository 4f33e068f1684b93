"""What ought to be live, read from the Terraform that the project synthesizes: the one source of it."""

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.main import build
from infra.provider import App

_REFERENCE = re.compile(r"^\$\{(?P<type>\w+)\.(?P<id>[\w-]+)\.\w+\}$")


@dataclass(frozen=True)
class Intended:
    """The endpoint of one model as declared."""

    endpoint: str
    configuration: str
    image: str
    model_data_url: str
    instance_type: str
    minimum: int
    maximum: int
    capture_percent: int
    alarms: tuple[str, ...]


def intended(environment: str, model: str) -> Intended | None:
    """Synthesize and read one model's stack; None when no release is promoted."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        build(app, environment)
        app.synth()
        stack = Path(folder, "stacks", f"{environment}-{model}", "cdk.tf.json")
        return _read(json.loads(stack.read_text(encoding="utf-8"))["resource"])


def _read(resources: dict[str, dict[str, Any]]) -> Intended | None:
    if "aws_sagemaker_endpoint" not in resources:
        return None
    (endpoint,) = resources["aws_sagemaker_endpoint"].values()
    configuration = _follow(resources, endpoint["endpoint_config_name"])
    variant = configuration["production_variants"][0]
    container = _follow(resources, variant["model_name"])["primary_container"]
    capture = configuration.get("data_capture_config")
    minimum, maximum = _capacity(resources, variant["initial_instance_count"])
    return Intended(
        endpoint=endpoint["name"],
        configuration=configuration["name"],
        image=container["image"],
        model_data_url=container["model_data_url"],
        instance_type=variant["instance_type"],
        minimum=minimum,
        maximum=maximum,
        capture_percent=capture["initial_sampling_percentage"] if capture else 0,
        alarms=tuple(sorted(alarm["alarm_name"] for alarm in resources["aws_cloudwatch_metric_alarm"].values())),
    )


def _capacity(resources: dict[str, dict[str, Any]], fixed: int) -> tuple[int, int]:
    for target in resources.get("aws_appautoscaling_target", {}).values():
        return target["min_capacity"], target["max_capacity"]
    return fixed, fixed


def _follow(resources: dict[str, dict[str, Any]], reference: str) -> Any:  # noqa: ANN401 - Terraform JSON
    match = _REFERENCE.match(reference)
    if match is None:
        raise ValueError(f"{reference} is not a reference to a resource")
    return resources[match["type"]][match["id"]]
