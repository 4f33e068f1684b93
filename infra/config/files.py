"""The files that people edit: which there are, and what they hold as a checked section."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from infra.config.base import Section
from infra.config.errors import ConfigError, Problem, did_you_mean
from infra.config.explain import problems_of
from infra.config.tree import Node
from infra.config.yaml_source import shown

AnySection = TypeVar("AnySection", bound=Section)


def model_names(root: Path) -> list[str]:
    """The models there are: the names of the files in `models`, sorted."""
    return _names(root / "models")


def environment_names(root: Path) -> list[str]:
    """The environments there are: the names of the files in `environments`, sorted."""
    return _names(root / "environments")


def file_of(folder: Path, name: str, kind: str) -> Path:
    """The file of a model or an environment.

    Raises:
        ConfigError: there is no such file.
    """
    path = folder / f"{name}.yaml"
    known = _names(folder)
    if name not in known:
        fix = did_you_mean(name, known, f"{kind}s")
        raise ConfigError([Problem(shown(path), None, "", f"there is no {kind} {name}: {fix}")])
    return path


def checked(section: type[AnySection], node: Node, path: Path, name_key: str = "name") -> AnySection:
    """A file's content as a section.

    Args:
        section: the kind of section.
        node: the content, overlays laid over it.
        path: the file.
        name_key: the key that must be as the file is called.

    Raises:
        ConfigError: all problems of the file.
    """
    problems = list(_name_problems(node, path, name_key))
    try:
        valid = section.model_validate(node.plain())
    except ValidationError as error:
        raise ConfigError([*problems, *problems_of(error, section, shown(path), node)]) from None
    if problems:
        raise ConfigError(problems)
    return valid


def _names(folder: Path) -> list[str]:
    wrong = sorted(path for path in folder.glob("*.yml") if path.is_file())
    if wrong:
        raise ConfigError(Problem(shown(path), None, "", "ends in .yml: rename it to .yaml") for path in wrong)
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith("."))


def _name_problems(node: Node, path: Path, key: str) -> Iterator[Problem]:
    name = node.child(key)
    if name is not None and isinstance(name.value, str) and name.value != path.stem:
        prefix = f"environments.{name.origin.overlay}." if name.origin.overlay else ""
        message = f'is "{name.value}" but the file is {path.name}: make them the same'
        yield Problem(shown(path), name.origin.line, prefix + key, message)
