"""Synth of 1 to 500 models in one environment: does time, memory or JSON grow faster than the models do?

Every model is the reference model with two releases: pipeline, endpoint, autoscaling, alarms, drift schedule, governor.
"""

import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.conftest import Project, release

MODELS = (1, 10, 100, 500)
GOALS = {"seconds": 25, "mb": 500}
"""At most, for a hundred models."""
LINEAR = 1.5
"""What a model more may cost at most in the largest project, beside one more in the one before it."""


@dataclass(frozen=True)
class Row:
    """One size of project.

    Attributes:
        models: how many there are.
        seconds: wall time of the whole process.
        mb: peak memory of its largest process.
        json_mb: size of all Terraform JSON.
        one_seconds: wall time where one of the models is chosen.
        first_stack: the first model's Terraform.
    """

    models: int
    seconds: float
    mb: float
    json_mb: float
    one_seconds: float
    first_stack: str


def rows(measure):
    """Measure every size; `measure(*command, **variables)` gives a process's seconds and MB."""
    return [_row(models, measure) for models in MODELS]


def _row(models, measure):
    print(f"{models} models", file=sys.stderr)  # noqa: T201 - a bench prints
    with tempfile.TemporaryDirectory() as folder:
        project = lay_down(Path(folder), models)
        output = Path(folder, "out")
        command = (sys.executable, "-m", "infra")
        seconds, mb = measure(*command, SAGESTACK_ROOT=str(project.root), CDKTF_OUTDIR=str(output))
        size = sum(path.stat().st_size for path in output.glob("stacks/*/cdk.tf.json"))
        first = (output / "stacks/local-model-000/cdk.tf.json").read_text(encoding="utf-8")
        alone = {"SAGESTACK_MODELS": "model-000", "CDKTF_OUTDIR": str(Path(folder, "one"))}
        one_seconds, _ = measure(*command, SAGESTACK_ROOT=str(project.root), **alone)
        return Row(models, round(seconds, 2), round(mb), round(size / 1e6, 3), round(one_seconds, 2), first)


def lay_down(folder, models):
    """A project of that many models, each with two releases."""
    project = Project(folder)
    project.reference()
    reference = project.root / "models/flight-delay.yaml"
    text = reference.read_text(encoding="utf-8")
    reference.unlink()
    for number in range(models):
        name = f"model-{number:03}"
        project.write(f"infra/models/{name}.yaml", text.replace("name: flight-delay", f"name: {name}"))
        project.lock(name, release(2), release(1))
    return project


def result(found):
    """The rows as JSON keeps them, and the answers to what was asked."""
    hundred = next(row for row in found if row.models == 100)
    return {
        "rows": [{key: value for key, value in asdict(row).items() if key != "first_stack"} for row in found],
        "met": {
            f"a hundred models in {GOALS['seconds']} s": hundred.seconds <= GOALS["seconds"],
            f"a hundred models in {GOALS['mb']} MB": hundred.mb <= GOALS["mb"],
            "seconds grow as models do": linear(found, "seconds"),
            "memory grows as models do": linear(found, "mb"),
            "JSON grows as models do": linear(found, "json_mb"),
            "one chosen model takes as long however many others there are": constant(found),
            "a model's stack is the same however many others there are": len({row.first_stack for row in found}) == 1,
        },
    }


def linear(found, name):
    """Whether a model more costs no more in the last step than in the one before, but for noise."""
    sizes, values = [row.models for row in found], [getattr(row, name) for row in found]
    slopes = [(values[i] - values[i - 1]) / (sizes[i] - sizes[i - 1]) for i in (-2, -1)]
    return slopes[1] <= slopes[0] * LINEAR


def constant(found):
    """Whether one model of the largest project takes no longer than one of the smallest, but for noise."""
    return found[-1].one_seconds <= found[0].one_seconds * LINEAR


def show(scale):
    """Print the rows and the answers."""
    for row in scale["rows"]:
        text = "{models:4} models {seconds:9} s {mb:6} MB {json_mb:9} MB of JSON; one of them {one_seconds} s"
        print(text.format(**row))  # noqa: T201
    for claim, holds in scale["met"].items():
        print(f"{claim}: {'met' if holds else 'MISSED'}")  # noqa: T201
