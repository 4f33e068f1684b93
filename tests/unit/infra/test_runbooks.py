"""Whoever is woken at night can paste what a runbook says: it begins with a command, and AWS knows all of them."""

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

RUNBOOKS = sorted((Path(__file__).parents[3] / "docs/runbooks").glob("*.md"))
AWS = re.compile(r"\baws (?P<service>[a-z0-9-]+) (?P<operation>[a-z0-9-]+)(?P<rest>(?:(?!\baws [a-z0-9-]+ )[^\n])*)")
OF_EVERY_COMMAND = {"query", "output", "max-items"}
S3 = {"ls": {"summarize", "human-readable", "recursive"}, "cp": {"recursive"}}
"""Of the command line's own, which are no operations of the service."""
ASSIGNED = re.compile(r"^(?:export )?(\w+)=|(?<= )(\w+)=", re.MULTILINE)


def blocks(text):
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def options(session, service, operation):
    """What a command of AWS's takes; None if there is no such command."""
    if service == "s3":
        return S3.get(operation)
    if service not in session.get_available_services():
        return None
    model = session.get_service_model(service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in named:
        return None
    members = model.operation_model(named[operation]).input_shape.members
    return OF_EVERY_COMMAND | {xform_name(name, "-") for name in members}


@pytest.fixture(scope="module")
def session():
    return botocore.session.get_session()


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_begins_with_a_command_to_run_and_says_for_which_model(path):
    text = path.read_text(encoding="utf-8")
    before, first = text.split("## First\n", 1)
    assert re.match(r"(\w+=\$\()?(sagestack|aws) ", blocks(first.split("\n## ", 1)[0])[0])
    assert blocks(before)[0].startswith("export SAGESTACK_ENV=")


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_variable_of_a_runbooks_commands_is_set_before(path):
    text = "\n".join(blocks(path.read_text(encoding="utf-8")))
    known = {name for pair in ASSIGNED.findall(text) for name in pair if name}
    assert set(re.findall(r"\$([a-z]\w*)", text)) <= known


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_aws_knows_every_command_and_option_of_a_runbook(path, session):
    for command in AWS.finditer("\n".join(blocks(path.read_text(encoding="utf-8")))):
        known = options(session, command["service"], command["operation"])
        assert known is not None, command[0]
        assert set(re.findall(r" --([a-z][a-z-]*)", command["rest"])) <= known, command[0]
