"""From files to frozen configuration: overlays are laid over files, each is validated once, all problems are told."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.config.chosen import ROLE_VARIABLE, chosen_environment, project_root
from infra.config.environment import EnvironmentConfig
from infra.config.errors import ConfigError, Problem, did_you_mean
from infra.config.files import checked, environment_names, file_of, model_names
from infra.config.fits import misfits, unreadable
from infra.config.lock_file import load_lock, lock_path
from infra.config.model import ModelConfig
from infra.config.overlay import with_overlay
from infra.config.release import ReleaseLock
from infra.config.tree import Node
from infra.config.yaml_source import read_yaml, shown


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
        file_of(self.root / "models", model, "model")
        return self.locks[model]

    def reloaded(self) -> "Project":
        """The same environment and models as their files say now."""
        return load_project(self.environment.name, self.root, self.models)

    def lock_path(self, model: str) -> Path:
        """Where a model's release lock is, or will be."""
        return lock_path(model, self.environment, self.root)


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
    path = file_of(root / "environments", name, "environment")
    node = read_yaml(path)
    derived = {"name": Node(name), "releases": Node(f"{root.name}/releases/{name}")}
    entries = {**derived, **node.entries}
    if role:
        entries["deploy_role"] = Node(None if role == "none" else role)
    return checked(EnvironmentConfig, Node(entries, node.origin), path)


def load_model(name: str, environment: EnvironmentConfig, root: Path | None = None) -> ModelConfig:
    """Load one model as it is in `environment`.

    Raises:
        ConfigError: all problems of its file, in that environment.
    """
    root = root or project_root()
    path, node = read_model(name, environment.name, root)
    section = checked(ModelConfig, node, path)
    if problems := list(misfits(section, environment, node, shown(path))):
        raise ConfigError(problems)
    return section


def read_model(name: str, environment: str, root: Path) -> tuple[Path, Node]:
    """A model's file with the environment's overlay laid over it, not yet validated.

    Raises:
        ConfigError: there is no such file, it is no YAML, or `environments` in it is malformed.
    """
    path = file_of(root / "models", name, "model")
    return path, with_overlay(read_yaml(path), environment, root, path)
