"""The examples of docs/add-a-model.md do what the page says."""

import json
import re
import shlex
from pathlib import Path

import pytest

from infra import cli
from infra.config import load_environment, load_model
from infra.config.tree import merge
from infra.config.yaml_source import read_yaml

PAGE = (Path(__file__).parents[4] / "docs/add-a-model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(yaml|console)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = [text for kind, text in BLOCKS if kind == "yaml"]
WHOLE = [text for text in EXAMPLES if "name: churn" in text]
PARTS = [text for text in EXAMPLES if "name: churn" not in text]


def sessions():
    """Each command on the page, with the file that stands before it and the output after it."""
    file = None
    for kind, text in BLOCKS:
        if kind == "yaml":
            file = text
        else:
            command, _, output = text.removeprefix("$ sagestack ").partition("\n")
            yield pytest.param((file, shlex.split(command), output), id=command)


def words(text):
    return [re.sub(r"\s+", " ", line.strip()) for line in text.splitlines()]


def test_the_page_has_examples():
    assert len(WHOLE) >= 4
    assert len(PARTS) >= 5


@pytest.mark.parametrize("session", list(sessions()))
def test_a_command_on_the_page_answers_what_the_page_says(files, capsys, session):
    file, command, output = session
    files.write("infra/models/churn.yaml", file)
    with pytest.raises(SystemExit):
        cli.main(command)
    answer = words("".join(capsys.readouterr()))
    if command[0] == "show":
        assert set(words(output)) <= set(answer)
    else:
        assert answer == words(output)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.split(":")[0])
def test_a_part_on_the_page_is_right_in_the_first_file(files, part):
    whole, change = (read_yaml(files.write("example.yaml", text)) for text in (WHOLE[0], part))
    files.write("infra/models/churn.yaml", json.dumps(merge(whole, change).plain()))
    assert load_model("churn", load_environment("local")).name == "churn"
