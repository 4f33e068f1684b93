"""The trail: who did what, when, and whether they were allowed."""

import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from infra.local.identity.evaluation import Decision
from infra.local.identity.policy import Principal

KEPT: Final = 50_000
"""Entries; the oldest go first."""


@dataclass(frozen=True)
class Entry:
    """One access."""

    at: datetime
    principal: Principal
    role_arn: str | None
    """Of a role's session."""
    access_key_id: str
    """What the call was signed with; empty if by nothing, as a service's own."""
    action: str
    resource: str | None
    decision: Decision
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Trail:
    """What was asked of the authority, and what people changed."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def add(self, entry: Entry) -> None:
        """Keep an entry."""
        self._entries.append(entry)

    def __iter__(self) -> Iterator[Entry]:
        """The newest first."""
        return iter(list(self._entries)[::-1])
