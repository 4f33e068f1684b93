"""Promotion and rollback write the release lock: the next deploy serves what it names, with the settings it keeps."""

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.config import EndpointConfig, Release, ReleaseLock, initial_instances
from infra.errors import UserError
from infra.release.registry import Version

UNVERSIONED = "unversioned"
_PROPERTIES = {"baseline_uri", "evaluation_uri", "trained_on", "data_fingerprint", "started_by"}
"""What the pipeline writes down with every version."""


def promoted(
    version: Version,
    lock: ReleaseLock | None,
    settings: EndpointConfig,
    *,
    model: str,
    by: str,
    at: datetime,
    commit: str,
    registry: str | None = None,
    despite_alarms: bool = False,
) -> ReleaseLock:
    """The lock with `version` and `settings` as current, and what was current as previous.

    Args:
        version: what the next deploy serves.
        lock: the lock so far; None before the first promotion.
        settings: the endpoint section of the model's file.
        model: the model's name.
        by: who promotes.
        at: when, in UTC.
        commit: the commit that the project stands at.
        registry: the environment whose registry has the version; None for the lock's own.
        despite_alarms: whether it is deployed though rollback alarms are raised.

    Returns:
        The same lock if that is current already. Where only settings have changed that are no part of the endpoint
        configuration, previous stays: it is still what the endpoint would go back to.

    Raises:
        UserError: the version is not approved, or was not registered by the pipeline.
    """
    if version.approval != "Approved":
        where = "" if registry is None else f" --env {registry}"
        first = f"sagestack approve {model} {version.number}{where} first"
        raise UserError(f"{model} version {version.number} is {version.approval}: {first}")
    same = lock is not None and lock.current.model_package_arn == version.arn
    if lock is not None and same and lock.current.endpoint == settings:
        return lock.model_copy(update={"rolled_back": False, "despite_alarms": despite_alarms})
    provenance: dict[str, Any] = {"promoted_by": by, "promoted_at": at, "commit": commit, "endpoint": settings}
    if lock is not None and same:
        release = lock.current.model_copy(update=provenance)
        changed = _configured(lock.current.endpoint or settings) != _configured(settings)
        previous = lock.current if changed else lock.previous
    else:
        release = _release(version, model, provenance | {"registry": registry})
        previous = lock.current if lock else None
    return ReleaseLock(model=model, current=release, previous=previous, despite_alarms=despite_alarms)


def gone_back(lock: ReleaseLock, model: str) -> ReleaseLock:
    """The lock with previous and current changed over; the settings that previous was deployed with hold again.

    The same lock if it was gone back already: going back twice is not going forward.

    Raises:
        UserError: there is nothing to go back to.
    """
    if lock.rolled_back:
        return lock
    if lock.previous is None:
        raise UserError(f"{model} version {lock.current.version} is the first release: there is none before it")
    return ReleaseLock(model=model, current=lock.previous, previous=lock.current, rolled_back=True)


def _configured(settings: EndpointConfig) -> object:
    """The settings that make up the endpoint configuration: what is left without those that act beside it."""
    kept = settings.model_dump(exclude={"alarms", "decision_threshold", "rollout", "scaling"})
    return kept, initial_instances(settings)


def _release(version: Version, model: str, provenance: dict[str, Any]) -> Release:
    if unknown := sorted(_PROPERTIES - version.properties.keys()):
        raise UserError(
            f"{model} version {version.number} was not registered by its pipeline: it lacks {', '.join(unknown)}"
        )
    kept: dict[str, Any] = {name: version.properties[name] for name in _PROPERTIES}
    return Release(
        version=version.number,
        model_package_arn=version.arn,
        model_data_url=version.model_data_url,
        image=version.image,
        metrics=version.metrics,
        approved_by=version.approved_by or "unknown",
        **kept,
        **provenance,
    )


def write_lock(lock: ReleaseLock, path: Path) -> None:
    """Write the lock whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.new")
    draft.write_text(json.dumps(lock.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def commit_of(directory: Path) -> str:
    """The commit that the project stands at; "unversioned" where it is not a git checkout."""
    if shutil.which("git") is None:
        return UNVERSIONED
    command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
    answer = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or UNVERSIONED
