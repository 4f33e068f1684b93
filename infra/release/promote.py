"""Promotion writes the release lock: the next deploy serves what it names. Rollback is promoting what was before."""

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from infra.config import Release, ReleaseLock
from infra.errors import UserError
from infra.release.registry import Version

UNVERSIONED = "unversioned"
_PROPERTIES = {"baseline_uri", "evaluation_uri", "trained_on", "data_fingerprint", "started_by"}
"""What the pipeline writes down with every version."""


def promoted(
    version: Version, lock: ReleaseLock | None, *, model: str, by: str, at: datetime, commit: str
) -> ReleaseLock:
    """The lock with `version` as current, and what was current as previous; the same lock if it is live already.

    Raises:
        UserError: the version is not approved, or was not registered by the pipeline.
    """
    if version.approval != "Approved":
        raise UserError(
            f"{model} version {version.number} is {version.approval}: sagestack approve {model} {version.number} first"
        )
    if lock is not None and lock.current.model_package_arn == version.arn:
        return lock
    if unknown := sorted(_PROPERTIES - version.properties.keys()):
        raise UserError(
            f"{model} version {version.number} was not registered by its pipeline: it lacks {', '.join(unknown)}"
        )
    release = Release(
        version=version.number,
        model_package_arn=version.arn,
        model_data_url=version.model_data_url,
        image=version.image,
        baseline_uri=version.properties["baseline_uri"],
        evaluation_uri=version.properties["evaluation_uri"],
        metrics=version.metrics,
        trained_on=version.properties["trained_on"],
        data_fingerprint=version.properties["data_fingerprint"],
        started_by=version.properties["started_by"],
        approved_by=version.approved_by or "unknown",
        promoted_by=by,
        promoted_at=at,
        commit=commit,
    )
    return ReleaseLock(schema_version=1, model=model, current=release, previous=lock.current if lock else None)


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
