"""Stacks as `cdktf synth` writes them, of projects that tests lay down."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from infra.main import build
from infra.provider import App

PROD = """
prefix: acme
account: "210987654321"
region: eu-west-1
state: {kind: s3, bucket: acme-terraform-state}
network: {kind: create}
permissions_boundary: bootstrap
registry_lock_days: 180
alarm_email: on-call@example.com
tags: {cost-centre: "42"}
"""
CHURN = """
endpoint: {scaling: {min: 1, max: 3, requests_per_second: 40, safety_factor: 0.5}}
monitoring:
  drift: {psi_threshold: 0.3}
  quality: {minimum: 0.6, baseline_margin: 0.05, label_delay_days: 3}
retraining: {new_data: {minimum_files: 3}, cooldown_days: 60, max_usd_a_month: 100, auto_approve: {minimum: 0.7}}
"""
REGRESSION = """
name: house-price
owner: valuations@example.com
problem: regression
data: {label: price, time: sold_at}
features: {numeric: [area], categorical: [district]}
endpoint: {scaling: {min: 2, max: 2}, capture: {percent: 0}}
monitoring: {drift: null}
retraining: {on_drift: false}
"""
KINDS = sorted((Path(__file__).parent / "kinds").glob("*.yaml"))


@dataclass(frozen=True)
class Synthesized:
    """One stack's Terraform JSON."""

    name: str
    path: Path

    @cached_property
    def text(self):
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def document(self):
        return json.loads(self.text)

    def all(self, kind):
        """Every resource of a Terraform type, by its address' last part."""
        return self.document["resource"].get(kind, {})

    def only(self, kind):
        (resource,) = self.all(kind).values()
        return resource

    def kinds(self):
        return set(self.document["resource"])

    def referred(self, reference):
        """The resource that `${type.id.attribute}` speaks of."""
        kind, id_, _ = reference.removeprefix("${").removesuffix("}").split(".")
        return self.all(kind)[id_]

    def policies(self):
        """Every policy document in the stack, as (where, document)."""
        for kind, resources in self.document["resource"].items():
            for id_, resource in resources.items():
                for attribute in ("policy", "assume_role_policy"):
                    if attribute in resource and kind != "aws_ecr_lifecycle_policy":
                        yield f"{self.name}/{kind}.{id_}.{attribute}", json.loads(resource[attribute])


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory):
    """Synthesize an environment of a project: its stacks by name."""

    def run(project, environment="local"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SAGESTACK_ROOT", str(project.root))
            app = App(outdir=str(tmp_path_factory.mktemp("synth")))
            build(app, environment)
            app.synth()
        folders = Path(app.outdir, "stacks").iterdir()
        return {folder.name: Synthesized(folder.name, folder / "cdk.tf.json") for folder in folders}

    return run


@pytest.fixture(scope="session")
def bare(new_project, synthesize):
    """The reference project before anything was trained."""
    return synthesize(new_project())


@pytest.fixture(scope="session")
def first(new_project, new_release, synthesize):
    """The reference project with its first release."""
    project = new_project()
    project.lock("flight-delay", new_release(1))
    return synthesize(project)


@pytest.fixture(scope="session")
def second(new_project, new_release, synthesize):
    """The reference project with its second release, the first still declared."""
    project = new_project()
    project.lock("flight-delay", new_release(2), new_release(1))
    return synthesize(project)


@pytest.fixture(scope="session")
def prod(new_project, new_release, synthesize):
    """A protected environment with its state in S3: churn is live, house-price (no drift, fixed fleet) too."""
    project = new_project()
    project.environment("prod", PROD)
    project.model("churn", CHURN)
    project.write("infra/models/house-price.yaml", REGRESSION)
    for model in ("churn", "house-price"):
        project.lock(model, new_release(1), releases="infra/releases/prod")
    return synthesize(project, "prod")


@pytest.fixture(scope="session")
def kinds(new_project, new_release, synthesize):
    """A model of each kind of endpoint, by its name: the files in `kinds`, each with two releases."""
    project = new_project()
    for path in KINDS:
        project.write(f"infra/models/{path.name}", path.read_text(encoding="utf-8"))
        project.lock(path.stem, new_release(2), new_release(1))
    stacks = synthesize(project)
    return {path.stem: stacks[f"local-{path.stem}"] for path in KINDS}


@pytest.fixture(scope="session")
def every_stack(bare, first, second, prod, kinds):  # noqa: PLR0917 - fixtures
    """Every stack of the above, for claims about all."""
    return [stack for stacks in (bare, first, second, prod, kinds) for stack in stacks.values()]


@pytest.fixture(scope="session")
def live_stack(second):
    """The reference model's stack with two releases."""
    return second["local-flight-delay"]


@pytest.fixture(scope="session", params=["local", "prod"])
def platform(request, bare, prod):
    return {"local": bare, "prod": prod}[request.param][f"{request.param}-platform"]
