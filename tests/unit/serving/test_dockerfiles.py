"""The images start what their contracts promise, from a base that can be replaced, with pinned packages."""

import json
import re
from pathlib import Path

import pytest

import serving.contract
import training.contract
from tests.unit.serving.conftest import PROJECT

RECIPES = {"serving": serving.contract.ENTRYPOINT, "training": training.contract.ENTRYPOINT}


def recipe(image: str) -> str:
    return (PROJECT / image / "Dockerfile").read_text().replace("\\\n", "")


@pytest.mark.parametrize(("image", "entrypoint"), RECIPES.items())
def test_the_entrypoint_is_the_contracts_in_exec_form(image: str, entrypoint: tuple[str, ...]) -> None:
    (written,) = re.findall(r"^ENTRYPOINT (.*)$", recipe(image), re.MULTILINE)
    assert json.loads(written) == list(entrypoint)


@pytest.mark.parametrize("image", RECIPES)
def test_the_base_image_is_an_argument_and_packages_are_checked_by_hash(image: str) -> None:
    text = recipe(image)
    assert re.match(r"ARG BASE_IMAGE=python:\S+\nFROM \$\{BASE_IMAGE\}( AS \w+)?\n", text)
    assert f"--require-hashes --requirement {image}/requirements.lock" in text


@pytest.mark.parametrize("image", RECIPES)
def test_everything_that_is_copied_exists(image: str) -> None:
    for line in re.findall(r"^COPY (?!--from)(.*)$", recipe(image), re.MULTILINE):
        *sources, _ = line.split()
        assert all(any(PROJECT.glob(source.rstrip("/"))) for source in sources)


def test_the_health_check_asks_for_what_the_contract_names() -> None:
    text = recipe("serving")
    assert f"'{serving.contract.PING_PATH}'" in text
    assert f"'{serving.contract.PORT_VARIABLE}', '{serving.contract.DEFAULT_PORT}'" in text


def test_the_serving_image_names_what_it_compiled() -> None:
    text = recipe("serving")
    (path,) = re.findall(rf"{serving.contract.TREES_LIBRARY_VARIABLE}=/opt/sagestack/(\S+)", text)
    assert re.search(rf"^COPY --from=trees /build/{Path(path).name} {Path(path).parent}/$", text, re.MULTILINE)


def test_the_training_image_has_no_http_server() -> None:
    assert not re.search(r"^COPY .*serving/ ", recipe("training").replace("serving/core/ ", ""), re.MULTILINE)
    assert "uvloop" not in Path(PROJECT / "training/requirements.lock").read_text()
