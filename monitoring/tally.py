"""What became of captured records: every one that was read is used, of another window, a duplicate, or refused."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

QUARANTINED: Final = 1000
"""So many refused records are set aside at most: enough to see what is wrong, however many there are."""
QUARANTINED_CHARACTERS: Final = 2000
"""Of a longer record, the beginning is set aside."""

COUNTS: Final = ("files", "read", "used", "outside", "duplicates", "rows")


@dataclass(frozen=True)
class Refusal:
    """A record that cannot be used, for the quarantine."""

    file: str
    reason: str
    record: str

    @classmethod
    def of(cls, file: str, reason: str, line: bytes) -> "Refusal":
        """As little of `line` as is needed to see what is wrong."""
        return cls(file, reason, line[:QUARANTINED_CHARACTERS].decode(errors="backslashreplace"))


@dataclass
class Tally:
    """Counts of records, which add up over files and hosts.

    Attributes:
        files: Files read.
        read: Records (lines) read; of Parquet files, rows.
        used: Records whose rows were counted.
        outside: Records of the same hours whose inference lies outside the window.
        duplicates: Records whose event id was seen before.
        rows: Rows of the records used.
        reasons: Records refused, by reason.
        refused: The first of them, to be set aside.
    """

    files: int = 0
    read: int = 0
    used: int = 0
    outside: int = 0
    duplicates: int = 0
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        """Count refused records, and keep some."""
        for refusal in refusals:
            self.reasons[refusal.reason] += 1
            if len(self.refused) < QUARANTINED:
                self.refused.append(refusal)

    def __add__(self, other: "Tally") -> "Tally":
        both = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return Tally(**both, reasons=self.reasons + other.reasons, refused=(self.refused + other.refused)[:QUARANTINED])

    def to_json(self) -> dict[str, Any]:
        """As reports hold it; the quarantine is a file of its own."""
        return {
            "files": self.files,
            "read": self.read,
            "used": self.used,
            "outside_window": self.outside,
            "duplicates": self.duplicates,
            "rows": self.rows,
            "refused": self.reasons.total(),
            "reasons": dict(self.reasons.most_common()),
        }

    def quarantine(self) -> str:
        """The refused records that were set aside, as JSON Lines."""
        return "".join(json.dumps(asdict(refusal)) + "\n" for refusal in self.refused)
