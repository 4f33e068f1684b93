"""What tests of several rooms share: a project of their own, with environments, models and release locks."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import cli

REPOSITORY = Path(__file__).parents[1]
ORACLES = REPOSITORY / ".venvs/oracles/bin/python"


def release(version, **changes):
    """A release as promotion writes it down; tests say what is different."""
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local"
    run = f"s3://sagestack-local-registry-123456789012/flight-delay/runs/run-{version}"
    return {
        "version": version,
        "model_package_arn": f"arn:aws:sagemaker:us-east-1:123456789012:model-package/flight-delay/{version}",
        "model_data_url": f"{run}/TrainModel/model.tar.gz",
        "image": f"{registry}/serving:0123456789abcdef",
        "baseline_uri": f"{run}/ComputeBaseline/baseline",
        "evaluation_uri": f"{run}/EvaluateModel/evaluation/evaluation.json",
        "metrics": {"auc": 0.7},
        "trained_on": "2013-01 2013-02 2013-03",
        "data_fingerprint": f"sha256:{version:064}",
        "started_by": "new-data",
        "approved_by": "ada",
        "promoted_by": "grace",
        "promoted_at": "2013-04-01T02:00:00Z",
        "commit": "unversioned",
    } | changes


@dataclass
class Project:
    """A project in a folder of its own, with what the repository's own one has unless a test says otherwise."""

    folder: Path

    @property
    def root(self):
        return self.folder / "infra"

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def environment(self, name, text):
        self.write(f"infra/environments/{name}.yaml", text)

    def model(self, name, extra=""):
        """A small model; `extra` is more YAML."""
        self.write(
            f"infra/models/{name}.yaml",
            f"name: {name}\nowner: growth\nproblem: binary-classification\n"
            f"data: {{label: left, time: day}}\nfeatures: {{numeric: [age, visits]}}\n{extra}",
        )

    def reference(self):
        """The repository's own model and local environment."""
        for path in ("environments/local.yaml", "models/flight-delay.yaml"):
            self.write(f"infra/{path}", (REPOSITORY / "infra" / path).read_text(encoding="utf-8"))

    def lock(self, model, current, previous=None, *, releases="build/local/releases", **more):
        document = {"schema_version": 1, "model": model, "current": current, "previous": previous} | more
        return self.write(f"{releases}/{model}.json", json.dumps(document, indent=2))


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """Run a script with other makers' libraries, which `make .venvs/oracles/.ready` installs: the folder it filled."""

    def run(script):
        if not ORACLES.exists():
            pytest.skip("there is no .venvs/oracles: make .venvs/oracles/.ready")
        folder = tmp_path_factory.mktemp(script.stem)
        subprocess.run([ORACLES, script, folder], check=True)
        return folder

    return run


@pytest.fixture
def in_process(capsys):
    """Run `sagestack` in this process: exit code, standard output, standard error."""

    def run(*args):
        with pytest.raises(SystemExit) as caught:
            cli.main(list(args))
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return run


@pytest.fixture(scope="session")
def new_project(tmp_path_factory):
    """Make a project with the reference model and the local environment, in a folder of its own."""

    def make():
        project = Project(tmp_path_factory.mktemp("project"))
        project.reference()
        return project

    return make


@pytest.fixture(scope="session")
def new_release():
    """Make a release as a lock holds it."""
    return release
