"""The JSONPath of batch transform's filters: names, numbers and slices, no expressions.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Step = Callable[[Any], Any]
NAME = re.compile(r"\.([A-Za-z_][\w-]*)")
NAMES = re.compile(r"""\[\s*(['"].+?['"](?:\s*,\s*['"].+?['"])*)\s*\]""")
QUOTED = re.compile(r"""(['"])(.+?)\1""")
NUMBERS = re.compile(r"\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")
SLICE = re.compile(r"\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]")


class PathError(ValueError):
    """A path that cannot be read, or that leads nowhere."""


@dataclass(frozen=True)
class JsonPath:
    """A path that was read."""

    text: str
    steps: Sequence[Step]

    @classmethod
    def parse(cls, text: str) -> "JsonPath":
        """Read a path.

        Raises:
            PathError: it is none that a filter may have.
        """
        steps: list[Step] = []
        at = 1
        while text.startswith("$") and at < len(text):
            for pattern, read in READERS:
                if found := pattern.match(text, at):
                    steps.append(read(found))
                    at = found.end()
                    break
            else:
                break
        if not text.startswith("$") or at < len(text):
            raise PathError(f"'{text}' is no path: write $, then .name, ['name'], [0], [0,2] or [1:], in any number")
        return cls(text, steps)

    def select(self, record: Any) -> Any:  # noqa: ANN401 - any JSON
        """What the path leads to; several names give an object, several numbers and slices a list.

        Raises:
            PathError: the record has no such thing.
        """
        value = record
        for step in self.steps:
            try:
                value = step(value)
            except (KeyError, IndexError, TypeError) as error:
                raise PathError(f"{self.text} leads nowhere in a record") from error
        return value


def _one_name(found: re.Match[str]) -> Step:
    return lambda value: _of(value, dict)[found[1]]


def _names(found: re.Match[str]) -> Step:
    names = [quoted[2] for quoted in QUOTED.finditer(found[1])]
    if len(names) == 1:
        return lambda value: _of(value, dict)[names[0]]
    return lambda value: {name: _of(value, dict)[name] for name in names}


def _numbers(found: re.Match[str]) -> Step:
    numbers = [int(number) for number in found[1].split(",")]
    if len(numbers) == 1:
        return lambda value: _of(value, list)[numbers[0]]
    return lambda value: [_of(value, list)[number] for number in numbers]


def _slice(found: re.Match[str]) -> Step:
    start, stop = (None if bound is None else int(bound) for bound in found.groups())
    return lambda value: _of(value, list)[start:stop]


def _of(value: Any, kind: type) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(value, kind):
        raise TypeError
    return value


READERS: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], Step]]] = (
    (NAME, _one_name),
    (NAMES, _names),
    (NUMBERS, _numbers),
    (SLICE, _slice),
)
