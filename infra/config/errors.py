"""What is wrong in a configuration file, where, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from infra.errors import UserError


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: `file:line: key.path message`."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key} {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(UserError):
    """All problems found, a line each, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.key, p.message)))
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(word: str, known: Iterable[str], kind: str) -> str:
    """The fix for an unknown word: the nearest known one, or else all of them.

    Args:
        word: what was written.
        known: what could have been written.
        kind: what `known` are, in the plural ("valid keys", "environments").
    """
    choices = sorted(known)
    near = get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"{kind} are {', '.join(choices)}" if choices else f"there are no {kind}"
