"""From files to frozen configuration: find the project, lay overlays over files, validate once, tell all problems."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from infra.config.base import Section
from infra.config.environment import EnvironmentConfig
from infra.config.errors import ConfigError, Problem, did_you_mean
from infra.config.explain import problems_of
from infra.config.fits import misfits, unreadable
from infra.config.model import ModelConfig
from infra.config.release import ReleaseLock
from infra.config.tree import Node, Origin, merge
from infra.config.yaml_source import read_yaml, shown

ROOT_VARIABLE: Final = "SAGESTACK_ROOT"
"""Names the folder that holds models, environments and releases."""
ENVIRONMENT_VARIABLE: Final = "SAGESTACK_ENV"
"""Names the environment."""
MODELS_VARIABLE: Final = "SAGESTACK_MODELS"
"""Names the models that are synthesized, with commas between; all unless set."""
ROLE_VARIABLE: Final = "SAGESTACK_DEPLOY_ROLE"
"""Takes the place of an environment's `deploy_role`: another role's ARN, or `none` for credentials as they are."""
DEFAULT_ENVIRONMENT: Final = "local"
DEFAULT_ROOT: Final = "infra"

AnySection = TypeVar("AnySection", bound=Section)


@dataclass(frozen=True)
class Project:
    """Everything the files say about one environment.

    Attributes:
        root: the folder that holds models, environments and releases.
        environment: the environment.
        models: every model that was asked for in that environment, by name.
        locks: each one's release lock; None where nothing was promoted.
        source: the environment whose models this one releases; None if they are its own.
    """

    root: Path
    environment: EnvironmentConfig
    models: Mapping[str, ModelConfig]
    locks: Mapping[str, ReleaseLock | None]
    source: EnvironmentConfig | None = None

    @property
    def folder(self) -> Path:
        """The project's folder; the environment's paths are relative to it."""
        return self.root.parent

    def lock(self, model: str) -> ReleaseLock | None:
        """A model's release lock; None if nothing was promoted.

        Raises:
            ConfigError: there is no such model.
        """
        _file(self.root / "models", model, "model")
        return self.locks[model]

    def reloaded(self) -> "Project":
        """The same environment and models as their files say now."""
        return load_project(self.environment.name, self.root, self.models)

    def lock_path(self, model: str) -> Path:
        """Where a model's release lock is, or will be."""
        return _lock_path(model, self.environment, self.root)


def project_root() -> Path:
    """`SAGESTACK_ROOT`, or else `infra` of the project that the working folder belongs to."""
    chosen = os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(chosen).absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DEFAULT_ROOT / "environments").is_dir():
            return folder / DEFAULT_ROOT
    return here / DEFAULT_ROOT


def chosen_environment() -> str:
    """The environment that `SAGESTACK_ENV` picks; local unless set."""
    return os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT


def chosen_models() -> tuple[str, ...] | None:
    """The models that `SAGESTACK_MODELS` names; None, which is all, unless set."""
    named = re.split(r"[\s,]+", os.environ.get(MODELS_VARIABLE, "").strip())
    return tuple(filter(None, named)) or None


def load_project(
    environment: str | None = None, root: Path | None = None, models: Iterable[str] | None = None
) -> Project:
    """Load an environment with its models and release locks.

    Args:
        environment: its name; what `SAGESTACK_ENV` picks unless given.
        root: the folder that holds models, environments and releases; `project_root()` unless given.
        models: their names; all unless given.

    Raises:
        ConfigError: all problems of all files.
    """
    root = root or project_root()
    settings = load_environment(environment, root)
    source = load_source(settings, root)
    loaded: dict[str, ModelConfig] = {}
    locks: dict[str, ReleaseLock | None] = {}
    problems: list[Problem] = []
    for name in model_names(root) if models is None else sorted(models):
        try:
            loaded[name] = load_model(name, settings, root)
        except ConfigError as error:
            problems.extend(error.problems)
        try:
            locks[name] = load_lock(name, settings, root)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return Project(root, settings, loaded, locks, source)


def model_names(root: Path) -> list[str]:
    """The models there are: the names of the files in `models`, sorted."""
    return _names(root / "models")


def environment_names(root: Path) -> list[str]:
    """The environments there are: the names of the files in `environments`, sorted."""
    return _names(root / "environments")


def load_environment(name: str | None = None, root: Path | None = None) -> EnvironmentConfig:
    """Load one environment; see `load_project` for arguments and errors."""
    return _environment(name or chosen_environment(), root or project_root(), role=os.environ.get(ROLE_VARIABLE))


def load_source(environment: EnvironmentConfig, root: Path) -> EnvironmentConfig | None:
    """The environment whose models `environment` releases; None if they are its own.

    Raises:
        ConfigError: there is none of that name, or it does not let itself be read.
    """
    name, path = environment.registry_from, root / "environments" / f"{environment.name}.yaml"
    if name is None:
        return None
    known = environment_names(root)
    source = _environment(name, root) if name in known else None
    unknown = f'is "{name}", which is no environment: {did_you_mean(name, known, "environments")}'
    if problem := unknown if source is None else unreadable(environment, source):
        line = read_yaml(path).nearest(("registry_from",)).origin.line
        raise ConfigError([Problem(shown(path), line, "registry_from", problem)])
    return source


def _environment(name: str, root: Path, role: str | None = None) -> EnvironmentConfig:
    path = _file(root / "environments", name, "environment")
    node = read_yaml(path)
    derived = {"name": Node(name), "releases": Node(f"{root.name}/releases/{name}")}
    entries = {**derived, **node.entries}
    if role:
        entries["deploy_role"] = Node(None if role == "none" else role)
    return _validate(EnvironmentConfig, Node(entries, node.origin), path)


def load_model(name: str, environment: EnvironmentConfig, root: Path | None = None) -> ModelConfig:
    """Load one model as it is in `environment`.

    Raises:
        ConfigError: all problems of its file, in that environment.
    """
    root = root or project_root()
    path, node = read_model(name, environment.name, root)
    section = _validate(ModelConfig, node, path)
    if problems := list(misfits(section, environment, node, shown(path))):
        raise ConfigError(problems)
    return section


def read_model(name: str, environment: str, root: Path) -> tuple[Path, Node]:
    """A model's file with the environment's overlay laid over it, not yet validated.

    Raises:
        ConfigError: there is no such file, it is no YAML, or `environments` in it is malformed.
    """
    path = _file(root / "models", name, "model")
    node = read_yaml(path)
    overlays = node.entries.pop("environments", None)
    if overlays is None:
        return path, node
    if problems := list(_overlay_problems(overlays, root, shown(path))):
        raise ConfigError(problems)
    overlay = overlays.child(environment)
    return path, node if overlay is None else merge(node, _of_overlay(overlay, environment))


def load_lock(name: str, environment: EnvironmentConfig, root: Path | None = None) -> ReleaseLock | None:
    """Load a model's release lock; None if nothing was promoted yet.

    Raises:
        ConfigError: all problems of the lock file.
    """
    root = root or project_root()
    path = _lock_path(name, environment, root)
    if not path.exists():
        return None
    return _sound_lock(path) or _validate(ReleaseLock, read_yaml(path), path, name_key="model")


def _sound_lock(path: Path) -> ReleaseLock | None:
    """The lock of a file without a mistake; JSON is read a hundred times as fast as YAML that knows its lines."""
    try:
        document = json.loads(path.read_bytes(), object_pairs_hook=_each_once)
        lock = ReleaseLock.model_validate(document)
    except (OSError, RecursionError, ValueError):
        return None
    return lock if lock.model == path.stem else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _lock_path(model: str, environment: EnvironmentConfig, root: Path) -> Path:
    return root.parent / environment.releases / f"{model}.json"


def _names(folder: Path) -> list[str]:
    wrong = sorted(path for path in folder.glob("*.yml") if path.is_file())
    if wrong:
        raise ConfigError(Problem(shown(path), None, "", "ends in .yml: rename it to .yaml") for path in wrong)
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith("."))


def _file(folder: Path, name: str, kind: str) -> Path:
    path = folder / f"{name}.yaml"
    known = _names(folder)
    if name not in known:
        fix = did_you_mean(name, known, f"{kind}s")
        raise ConfigError([Problem(shown(path), None, "", f"there is no {kind} {name}: {fix}")])
    return path


def _validate(section: type[AnySection], node: Node, path: Path, name_key: str = "name") -> AnySection:
    problems = list(_name_problems(node, path, name_key))
    try:
        valid = section.model_validate(node.plain())
    except ValidationError as error:
        raise ConfigError([*problems, *problems_of(error, section, shown(path), node)]) from None
    if problems:
        raise ConfigError(problems)
    return valid


def _name_problems(node: Node, path: Path, key: str) -> Iterator[Problem]:
    name = node.child(key)
    if name is not None and isinstance(name.value, str) and name.value != path.stem:
        prefix = f"environments.{name.origin.overlay}." if name.origin.overlay else ""
        message = f'is "{name.value}" but the file is {path.name}: make them the same'
        yield Problem(shown(path), name.origin.line, prefix + key, message)


def _overlay_problems(overlays: Node, root: Path, file: str) -> Iterator[Problem]:
    if not isinstance(overlays.value, dict):
        yield Problem(
            file, overlays.origin.line, "environments", "must be a mapping of environments to what differs there"
        )
        return
    known = environment_names(root)
    for name, overlay in overlays.value.items():
        if name not in known:
            fix = did_you_mean(name, known, "environments")
            yield Problem(file, overlay.origin.line, f"environments.{name}", f"is not an environment: {fix}")
        elif not isinstance(overlay.value, dict):
            message = "must be a mapping of what differs there: fill it or remove it"
            yield Problem(file, overlay.origin.line, f"environments.{name}", message)


def _of_overlay(node: Node, environment: str) -> Node:
    """The same nodes, knowing that they stand in an overlay."""
    origin = Origin(node.origin.line, environment)
    if isinstance(node.value, dict):
        return Node({key: _of_overlay(child, environment) for key, child in node.value.items()}, origin, node.text)
    if isinstance(node.value, list):
        return Node([_of_overlay(child, environment) for child in node.value], origin, node.text)
    return Node(node.value, origin, node.text)
