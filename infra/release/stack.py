"""One model's stack as the project synthesizes it: the one source of what ought to be live."""

import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from infra.main import build
from infra.provider import App

Resources = dict[str, dict[str, Any]]
"""By type and name in the stack."""
_REFERENCE = re.compile(r"^\$\{(?P<type>\w+)\.(?P<id>[\w-]+)\.\w+\}$")


def synthesized(environment: str, model: str) -> tuple[Resources, str]:
    """The resources of a model's stack, and the digest of its Terraform; the same commit gives the same."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        build(app, environment, [model])
        app.synth()
        text = Path(folder, "stacks", f"{environment}-{model}", "cdk.tf.json").read_text(encoding="utf-8")
    return json.loads(text)["resource"], f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def follow(resources: Resources, reference: str) -> Any:  # noqa: ANN401 - Terraform JSON
    """The resource that a reference such as `${aws_sagemaker_model.x.name}` is to.

    Raises:
        ValueError: it is none.
    """
    match = _REFERENCE.match(reference)
    if match is None:
        raise ValueError(f"{reference} is not a reference to a resource")
    return resources[match["type"]][match["id"]]
