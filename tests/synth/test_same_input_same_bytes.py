"""Synth is pure: the same files give the same bytes, on any machine, in any folder, at any time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def two_outputs(new_project, new_release):
    """The same project in two folders, synthesized by two processes whose sets and dicts are ordered differently."""
    outputs = []
    for seed in ("1", "2"):
        project = new_project()
        project.lock("flight-delay", new_release(2), new_release(1))
        environment = {name: value for name, value in os.environ.items() if name != "CDKTF_OUTDIR"}
        environment |= {"SAGESTACK_ROOT": str(project.root), "SAGESTACK_ENV": "local", "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-m", "infra"], cwd=project.folder, env=environment, check=True)
        outputs.append(project.folder / "cdktf.out")
    return outputs


def written(folder):
    """What Terraform reads: each stack's JSON and what it brings along."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if path.name == "cdk.tf.json" or "assets" in path.parts
    }


def test_two_processes_in_two_folders_write_the_same_bytes(two_outputs):
    first, second = (written(folder) for folder in two_outputs)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert {Path(name).suffix for name in first} == {".json", ".zip"}


def test_no_path_of_the_machine_is_in_what_is_written(two_outputs, every_stack):
    texts = {name: content for name, content in written(two_outputs[0]).items() if name.endswith(".json")}
    texts |= {f"{stack.name} ({stack.path})": stack.text.encode() for stack in every_stack}
    places = [str(place).encode() for place in (two_outputs[0].parent, REPOSITORY, Path.home(), Path(sys.prefix))]
    assert [(name, place) for name, text in texts.items() for place in places if place in text] == []


def test_what_a_stack_brings_along_is_named_relative_to_it(live_stack):
    function = live_stack.only("aws_lambda_function")
    assert (live_stack.path.parent / function["filename"]).is_file()
    assert not Path(function["filename"]).is_absolute()


def test_a_models_stack_is_the_same_however_many_others_there_are(new_project, synthesize, bare):
    project = new_project()
    reference = (project.root / "models/flight-delay.yaml").read_text(encoding="utf-8")
    for other in ("arrivals", "boarding", "weather"):
        project.write(f"infra/models/{other}.yaml", reference.replace("name: flight-delay", f"name: {other}"))
    among_others = synthesize(project)
    assert among_others.keys() - bare.keys() == {"local-arrivals", "local-boarding", "local-weather"}
    assert among_others["local-flight-delay"].text == bare["local-flight-delay"].text


def test_one_model_chosen_alone_and_what_it_shares_are_as_among_all(new_project, new_release):
    """The kinds that there are, by the command that cdktf runs: whole, and with one of them named."""
    project = new_project()
    kinds = sorted(Path(__file__).with_name("kinds").glob("*.yaml"))
    for path in kinds:
        project.write(f"infra/models/{path.name}", path.read_text(encoding="utf-8"))
        project.lock(path.stem, new_release(1))
    outputs = {}
    for chosen in ("", "serverless", "shadow, asynchronous"):
        variables = {"SAGESTACK_ROOT": str(project.root), "SAGESTACK_ENV": "local", "SAGESTACK_MODELS": chosen}
        output = project.folder / f"out-{len(outputs)}"
        environment = os.environ | variables | {"CDKTF_OUTDIR": str(output)}
        subprocess.run([sys.executable, "-m", "infra"], cwd=project.folder, env=environment, check=True)
        outputs[chosen] = written(output)
    every = outputs.pop("")
    assert sum(name.endswith(".json") for name in every) == len(kinds) + 2  # the platform, the reference model
    for chosen, found in outputs.items():
        stacks = {name.split("/")[1] for name in found}
        assert stacks == {"local-platform", *(f"local-{model}" for model in chosen.split(", "))}
        assert {name: every[name] for name in found} == found


def test_a_chosen_model_that_there_is_not_is_told_in_a_line(new_project):
    project = new_project()
    variables = {"SAGESTACK_ROOT": str(project.root), "SAGESTACK_ENV": "local", "SAGESTACK_MODELS": "flight-dely"}
    command = [sys.executable, "-m", "infra"]
    answer = subprocess.run(
        command, cwd=project.folder, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
    assert "there is no model flight-dely: did you mean flight-delay?" in answer.stderr
