"""Real Terraform plans of a whole environment without its account: nothing is asked of AWS, nothing is made.

Every stack is planned as if nothing of it were there yet, so that every resource is in its plan. A model without a
release is planned with one that is made up, so that what will serve it is judged before it does.

What only AWS knows leaves no hole in a policy: a reference in a policy, or to another stack, is an ARN that is made up.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infra import toolchain
from infra.config import EnvironmentConfig, Project, Release, ReleaseLock
from infra.errors import CheckFailed
from infra.images import SERVING, tag
from infra.main import declare
from infra.provider import App, use_mirror

POLICIES: Final = ("policy", "assume_role_policy")
PLAN_FILE: Final = "plan.json"
_OTHER_STACK = re.compile(r"\$\{data\.terraform_remote_state\.[^}]*?-output-aws_(?P<service>[a-z0-9]+)_[^}]*\}")
_OWN_STACK = re.compile(r"\$\{aws_(?P<service>[a-z0-9]+)_\w+\.(?P<id>[\w-]+)\.arn\}")


@dataclass(frozen=True)
class PlannedResource:
    """A resource as Terraform will ask AWS for it.

    Attributes:
        stack: the stack's name.
        type: the Terraform type.
        name: its name in the stack.
        values: every attribute that is known before the deploy; those that are not set are None.
    """

    stack: str
    type: str
    name: str
    values: Mapping[str, Any]

    @property
    def address(self) -> str:
        """`type.name`, as Terraform tells it."""
        return f"{self.type}.{self.name}"


@dataclass(frozen=True)
class Plan:
    """One stack's plan.

    Attributes:
        stack: the stack's name.
        path: its JSON (`terraform show -json`).
        resources: everything that would be made.
    """

    stack: str
    path: Path
    resources: tuple[PlannedResource, ...]


def plans(project: Project, folder: Path) -> list[Plan]:
    """Plan every stack of an environment.

    Args:
        project: the project in that environment.
        folder: where stacks and plans are written.

    Raises:
        CheckFailed: Terraform refuses a stack.
        ToolMissing: there is no Terraform.
    """
    folder.mkdir(parents=True, exist_ok=True)
    app = App(outdir=str(folder))
    declare(app, _all_released(project))
    app.synth()
    use_mirror(folder)
    stacks = sorted(path for path in Path(folder, "stacks").iterdir() if path.is_dir())
    for stack in stacks:
        path = stack / "cdk.tf.json"
        path.write_text(json.dumps(offline(json.loads(path.read_text()), project.environment)), encoding="utf-8")
    _terraform(stacks[0], stacks[0], "init", "-input=false")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda stack: _plan(stack, initialised=stacks[0]), stacks))


def offline(document: Mapping[str, Any], environment: EnvironmentConfig) -> dict[str, Any]:
    """A stack that Terraform can plan without an account: no backend, no other stack's state, no call to AWS."""
    where = f"{environment.region}:{environment.account}"
    text = json.dumps(document)
    text = _OTHER_STACK.sub(lambda found: f"arn:aws:{found['service']}:{where}:elsewhere", text)
    found: dict[str, Any] = json.loads(text)
    found.pop("data", None)
    found["terraform"].pop("backend", None)
    found["provider"]["aws"] = [_asking_nothing(provider) for provider in found["provider"]["aws"]]
    for resources in found["resource"].values():
        for resource in resources.values():
            for attribute in filter(resource.__contains__, POLICIES):
                resource[attribute] = _OWN_STACK.sub(
                    lambda one: f"arn:aws:{one['service']}:{where}:{one['id']}", resource[attribute]
                )
    return found


def _asking_nothing(provider: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in provider.items() if key not in _ASKING} | _ASKS_NOTHING


_ASKING: Final = ("allowed_account_ids", "assume_role", "profile", "shared_config_files")
_ASKS_NOTHING: Final = {
    "access_key": "offline",
    "secret_key": "offline",
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": "true",
}


def _all_released(project: Project) -> Project:
    locks = {name: lock or _made_up(project.environment, name) for name, lock in project.locks.items()}
    return replace(project, locks=locks)


def _made_up(environment: EnvironmentConfig, model: str) -> ReleaseLock:
    names = environment.names.model(model)
    run = f"{names.runs_uri}/planned"
    release = Release(
        version=1,
        model_package_arn=names.package_arn(1),
        model_data_url=f"{run}/TrainModel/model.tar.gz",
        image=environment.names.image(SERVING, tag(SERVING)),
        baseline_uri=f"{run}/ComputeBaseline/baseline",
        evaluation_uri=f"{run}/EvaluateModel/evaluation/evaluation.json",
        metrics={},
        trained_on="planned",
        data_fingerprint="planned",
        started_by="person",
        approved_by="nobody",
        promoted_by="nobody",
        promoted_at=datetime.fromtimestamp(0, UTC),
        commit="planned",
    )
    return ReleaseLock(model=model, current=release)


def _plan(stack: Path, *, initialised: Path) -> Plan:
    _terraform(stack, initialised, "plan", "-input=false", "-refresh=false", "-lock=false", "-out=plan.bin")
    text = _terraform(stack, initialised, "show", "-json", "plan.bin")
    path = stack / PLAN_FILE
    path.write_text(text, encoding="utf-8")
    planned = json.loads(text)["planned_values"]["root_module"].get("resources", [])
    resources = tuple(PlannedResource(stack.name, one["type"], one["name"], one["values"]) for one in planned)
    return Plan(stack.name, path, resources)


def _terraform(stack: Path, initialised: Path, *arguments: str) -> str:
    """Every stack has the same provider: one initialisation serves all."""
    environment = os.environ | {"TF_DATA_DIR": str(initialised / ".terraform"), "CHECKPOINT_DISABLE": "1"}
    command = [toolchain.terraform(), *arguments, *(["-no-color"] if arguments[0] != "show" else [])]
    answer = subprocess.run(command, cwd=stack, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise CheckFailed(f"{stack.name} cannot be planned:\n{answer.stderr.strip()}")
    return answer.stdout
