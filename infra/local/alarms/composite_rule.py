"""Composite alarms' rules: ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(c)).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_STATE = r'(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"((?:[^"\\]|\\.)*)"|([^\s()"]+))\s*\)'
_TOKEN = re.compile(rf"\s*(?:{_STATE}|(AND|OR|NOT|TRUE|FALSE)\b|([()]))")

Test = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class AlarmRule:
    """A parsed rule and the names of the alarms that it speaks of."""

    test: Test
    names: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "AlarmRule":
        """Parse `text`.

        Raises:
            ValueError: it is no such rule; the message says where.
        """
        parser = _Parser(text)
        test = parser.disjunction()
        parser.expect_end()
        return cls(test, frozenset(parser.names))

    def holds(self, states: Mapping[str, str]) -> bool:
        """Whether the rule is true of these states, by alarm name."""
        return self.test(states)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.names: set[str] = set()

    def disjunction(self) -> Test:
        tests = [self._conjunction()]
        while self._accept("OR"):
            tests.append(self._conjunction())
        return lambda states: any(test(states) for test in tests)

    def expect_end(self) -> None:
        if self._text[self._position :].strip():
            raise self._error()

    def _conjunction(self) -> Test:
        tests = [self._negation()]
        while self._accept("AND"):
            tests.append(self._negation())
        return lambda states: all(test(states) for test in tests)

    def _negation(self) -> Test:
        if self._accept("NOT"):
            test = self._negation()
            return lambda states: not test(states)
        if self._accept("("):
            test = self.disjunction()
            if not self._accept(")"):
                raise self._error()
            return test
        return self._atom()

    def _atom(self) -> Test:
        match = _TOKEN.match(self._text, self._position)
        if match and match[4] in ("TRUE", "FALSE"):
            self._position = match.end()
            return lambda _: match[4] == "TRUE"
        if not match or not match[1]:
            raise self._error()
        self._position = match.end()
        name = _alarm_name(re.sub(r"\\(.)", r"\1", match[2]) if match[2] else match[3])
        self.names.add(name)
        return lambda states: states.get(name) == match[1]

    def _accept(self, word: str) -> bool:
        match = _TOKEN.match(self._text, self._position)
        if match and word in (match[4], match[5]):
            self._position = match.end()
            return True
        return False

    def _error(self) -> ValueError:
        return ValueError(f"AlarmRule is not understood at position {self._position}: {self._text[self._position :]!r}")


def _alarm_name(reference: str) -> str:
    return reference.split(":alarm:", 1)[1] if reference.startswith("arn:") else reference
