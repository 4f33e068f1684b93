"""Who holds the lock of a stack's Terraform state, told to whoever could not have it.

A lock on a file is the operating system's, and ends with its process. One in S3 is an object: it outlives a Terraform
that was killed.
"""

import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig, FileState
from infra.release.file_state import locked
from infra.session import client


def told_lock(environment: EnvironmentConfig, folder: Path, stack: str) -> str:
    """Who holds the lock, since when, and what to do about it; empty if nobody does.

    Args:
        environment: where the state lives.
        folder: the project's.
        stack: the stack's name.
    """
    if isinstance(environment.state, FileState):
        holder = _of_file(folder / environment.state.directory / f"{stack}.tfstate")
        way_out = "That run goes on: wait for its end, and run this again."
    else:
        holder = _of_object(environment, f"{environment.state.key_prefix}/{stack}.tfstate.tflock")
        unlock = f"terraform -chdir=cdktf.out/stacks/{stack} force-unlock {holder.get('ID')}"
        way_out = f"Wait for that run's end, and run this again; if it is dead, lift its lock first: {unlock}"
    if not holder:
        return ""
    who, since, operation = (holder.get(key, "unknown") for key in ("Who", "Created", "Operation"))
    return f"\nThe state of {stack} is locked by {who} since {since} ({operation}). {way_out}"


def _of_file(state: Path) -> dict[str, Any]:
    """What Terraform wrote beside the file stays there when it is killed: the file's own lock counts."""
    beside = state.with_name(f".{state.name}.lock.info")
    if not state.exists() or not beside.exists():
        return {}
    with locked(state) as is_ours:
        return {} if is_ours else _read(beside.read_bytes())


def _of_object(environment: EnvironmentConfig, key: str) -> dict[str, Any]:
    assert not isinstance(environment.state, FileState)  # noqa: S101 - the caller has looked
    try:
        answer = client(environment, "s3").get_object(Bucket=environment.state.bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 - not found
            return {}
        raise
    return _read(answer["Body"].read())


def _read(text: bytes) -> dict[str, Any]:
    """Terraform's lock info; what is being written at this moment is no whole JSON yet."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
