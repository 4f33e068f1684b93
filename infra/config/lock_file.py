"""A model's release lock: where it is, and what it says."""

import json
from pathlib import Path
from typing import Any

from infra.config.chosen import project_root
from infra.config.environment import EnvironmentConfig
from infra.config.files import checked
from infra.config.release import ReleaseLock
from infra.config.yaml_source import read_yaml


def lock_path(model: str, environment: EnvironmentConfig, root: Path) -> Path:
    """Where it is, or will be."""
    return root.parent / environment.releases / f"{model}.json"


def load_lock(name: str, environment: EnvironmentConfig, root: Path | None = None) -> ReleaseLock | None:
    """Load a model's release lock; None if nothing was promoted yet.

    Raises:
        ConfigError: all problems of the lock file.
    """
    root = root or project_root()
    path = lock_path(name, environment, root)
    if not path.exists():
        return None
    return _sound_lock(path) or checked(ReleaseLock, read_yaml(path), path, name_key="model")


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
