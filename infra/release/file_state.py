"""A Terraform state in a file: Terraform empties it before it writes it anew, so a death in between leaves it torn.

In S3 a state is written whole or not at all. For a file, Terraform keeps beside it what it was when a run began.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKUP = ".backup"


def mend(state: Path) -> bool:
    """Put the backup in the place of a state that was torn; whether that was done.

    A state that Terraform is writing at this moment is left alone, and so is one without a whole backup.

    Args:
        state: the file; it need not exist.
    """
    backup = state.with_name(state.name + BACKUP)
    if not state.exists():
        return False
    with locked(state) as is_ours:
        if not is_ours or _is_whole(state) or not _is_whole(backup):
            return False
        draft = state.with_name(state.name + ".new")
        shutil.copyfile(backup, draft)
        draft.replace(state)
        return True


@contextmanager
def locked(state: Path) -> Iterator[bool]:
    """Whether Terraform's own lock on the file could be had; it is held meanwhile."""
    with state.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _is_whole(state: Path) -> bool:
    try:
        return isinstance(json.loads(state.read_bytes()), dict)
    except (OSError, ValueError):
        return False
