"""The files that set a machine up: Makefile and lock files."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DEV_LOCK = PROJECT / "requirements" / "dev.lock"
IMAGES = ("training", "serving", "monitoring")
INTERNAL = {"tools", "python"}


def pinned(lock):
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z]+\])?==([^ ;]+)", lock.read_text(), re.MULTILINE))


def test_make_help_has_a_line_for_every_target():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    answer = subprocess.run(["make", "help"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    listed = {line.split()[0].removeprefix("\033[1m").removesuffix("\033[0m") for line in answer.stdout.splitlines()}
    declared = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert listed == set(declared[1].replace("\\", "").split()) - INTERNAL


@pytest.mark.parametrize("lock", sorted(PROJECT.glob("*/*.lock")), ids=lambda lock: f"{lock.parent.name}/{lock.name}")
def test_a_lock_file_pins_with_hashes_and_names_no_host(lock):
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    pins = re.findall(r"^\S.*(?:\n +.*)*", text, re.MULTILINE)
    assert pins
    assert all(re.match(r"[\w.\[\]-]+==[^\n]+ \\\n    --hash=sha256:", pin) for pin in pins)


def test_the_node_lock_names_no_host_and_pins_both_command_lines():
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    assert not any("resolved" in package for package in lock["packages"].values())
    assert lock["packages"]["node_modules/cdktf-cli"]["version"] == "0.21.0"
    assert lock["packages"]["node_modules/cdktn-cli"]["version"] == "0.24.0"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_the_versions_that_the_tests_have(image):
    everything = pinned(DEV_LOCK)
    assert {name: everything.get(name) for name in pinned(PROJECT / image / "requirements.lock")} == pinned(
        PROJECT / image / "requirements.lock"
    )


def test_the_lock_is_in_step_with_what_the_project_asks_for():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [line for lines in project["optional-dependencies"].values() for line in lines]
    locked = pinned(DEV_LOCK)
    for requirement in asked:
        name = re.match(r"[\w.-]+", requirement)[0].lower()
        name = name.replace("ruamel.yaml", "ruamel-yaml")
        assert name in locked, f"{name}: make lock"
        if "==" in requirement:
            assert locked[name] == requirement.split("==")[1], f"{name}: make lock"
