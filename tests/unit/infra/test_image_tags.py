import os
import shutil

import pytest

from infra import containers, images
from infra.errors import UserError
from infra.images import IMAGES

RECIPE = """ARG BASE_IMAGE=python:3.12-slim
FROM ${BASE_IMAGE} AS build
# COPY commented/ out/
COPY app/requirements.lock app/
COPY --chown=1000:1000 shared/core.py \\
     shared/contract.py shared/
COPY  app/  app/
COPY --from=build /opt/venv /opt/venv
COPY --chmod=0755 --from=build /bin/tool /bin/tool
RUN echo COPY nothing/ here/
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one image, `app`; `write` puts files into it."""

    def write(path, text):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    write("app/Dockerfile", RECIPE)
    for path in (
        "app/__main__.py",
        "app/requirements.lock",
        "app/deep/part.py",
        "shared/core.py",
        "shared/contract.py",
    ):
        write(path, path)
    monkeypatch.setattr(images, "PROJECT", tmp_path)
    return write


@pytest.fixture(autouse=True)
def forgotten_tags():
    """A tag is computed once a process; here files change."""
    images.tag.cache_clear()
    yield
    images.tag.cache_clear()


def tag():
    images.tag.cache_clear()
    return images.tag("app")


def names():
    return [path.relative_to(images.PROJECT).as_posix() for path in images.contents("app")]


@pytest.mark.usefixtures("project")
def test_an_images_contents_are_its_recipe_and_what_that_copies_from_the_project():
    assert names() == [
        "app/Dockerfile",
        "app/__main__.py",
        "app/deep/part.py",
        "app/requirements.lock",
        "shared/contract.py",
        "shared/core.py",
    ]


@pytest.mark.parametrize("path", ["app/Dockerfile", "app/__main__.py", "app/deep/part.py", "shared/contract.py"])
def test_the_tag_changes_with_every_file_that_goes_in(project, path):
    before = tag()
    project(path, RECIPE + "# changed\n")
    assert tag() != before


def test_the_tag_changes_with_a_new_file_a_moved_one_and_one_that_is_gone(project):
    tags = [tag()]
    added = project("app/new.py", "new")
    tags.append(tag())
    added.rename(added.with_name("newer.py"))
    tags.append(tag())
    added.with_name("newer.py").unlink()
    tags.append(tag())
    assert tags[0] == tags[3]
    assert len(set(tags)) == 3


def test_text_that_moves_from_one_file_to_the_next_changes_the_tag(project):
    project("app/a.py", "one")
    project("app/b.py", "two")
    before = tag()
    project("app/a.py", "onet")
    project("app/b.py", "wo")
    assert tag() != before


def test_the_tag_does_not_change_with_what_stays_outside(project):
    before = tag()
    project("app/__pycache__/__main__.cpython-312.pyc", "bytes")
    project("app/deep/__pycache__/part.cpython-312.pyc", "bytes")
    project("shared/other.py", "not copied")
    project("README.md", "not copied")
    os.utime(images.PROJECT / "app/__main__.py", (1, 1))
    assert tag() == before


@pytest.mark.usefixtures("project")
def test_the_same_files_in_another_folder_have_the_same_tag(tmp_path_factory, monkeypatch):
    before = tag()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "project"
    shutil.copytree(images.PROJECT, elsewhere)
    monkeypatch.setattr(images, "PROJECT", elsewhere)
    assert tag() == before


def test_a_recipe_that_copies_what_is_not_there_is_refused(project):
    project("app/Dockerfile", "FROM scratch\nCOPY app/gone.py app/\n")
    with pytest.raises(FileNotFoundError, match=r"copies app/gone\.py, which does not exist"):
        tag()


@pytest.mark.parametrize("image", IMAGES)
def test_our_recipes_copy_in_the_one_form_that_the_tag_understands(image):
    lines = images.dockerfile(image).read_text().replace("\\\n", " ").splitlines()
    words = [line.split() for line in lines if line.strip()]
    assert not [line for line in words if line[0].upper() == "ADD" or (line[0].upper() == "COPY" and line[0] != "COPY")]
    assert not [line for line in words if line[0] == "COPY" and line[1].startswith("[")]


@pytest.mark.parametrize("image", IMAGES)
def test_our_images_carry_their_own_package_and_no_infrastructure(image):
    tops = {path.relative_to(images.PROJECT).parts[0] for path in images.contents(image)}
    assert image in tops
    assert "infra" not in tops
    assert "serving" in tops  # what is evaluated and watched is what is served


def test_an_image_is_built_under_the_tag_that_the_infrastructure_names():
    assert containers.local_name("serving") == f"localhost/sagestack/serving:{images.tag('serving')}"


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """A container engine that writes down what it is asked, and knows no image; it fails at what the test says."""
    monkeypatch.delenv(containers.BASE_IMAGE_VARIABLE, raising=False)
    script, log = tmp_path / "podman", tmp_path / "asked"
    script.write_text(f'#!/bin/sh\necho "$@" >> {log}\n[ "$1" != image ] && [ ! -e {tmp_path}/broken ]\n')
    script.chmod(0o755)

    class Engine:
        command = (str(script),)

        def asked(self):
            return log.read_text().splitlines()

        def breaks(self):
            (tmp_path / "broken").touch()

    return Engine()


def test_a_build_takes_the_projects_root_as_its_context_and_the_base_image_it_is_told(engine, monkeypatch):
    monkeypatch.setenv(containers.BASE_IMAGE_VARIABLE, "localhost/base")
    containers.build("serving", list(engine.command))
    _, built = engine.asked()
    assert built.startswith("build --format docker --build-arg BASE_IMAGE=localhost/base ")
    assert built.endswith(f"--tag {containers.local_name('serving')} {images.PROJECT}")


def test_a_build_that_fails_is_told_with_its_recipe(engine):
    engine.breaks()
    with pytest.raises(UserError, match=r"serving could not be built.*serving/Dockerfile"):
        containers.build("serving", list(engine.command))


def test_without_a_container_engine_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.delenv(containers.ENGINE_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "")
    assert containers.main() == 2
    assert "install docker or podman" in capsys.readouterr().err
