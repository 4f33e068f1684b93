"""EventBridge event patterns: does this event match?

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Iterable
from itertools import chain, pairwise
from typing import Any

Pattern = dict[str, Any]
Filter = Callable[[Any], bool]

_COMPARE = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}


class InvalidPatternError(ValueError):
    """A pattern that EventBridge would refuse."""


def check(pattern: Any) -> None:  # noqa: ANN401 - whatever JSON a user gave
    """Refuse a pattern that EventBridge would refuse.

    Raises:
        InvalidPatternError: the message names the key and the rule.
    """
    if not isinstance(pattern, dict) or not pattern:
        raise InvalidPatternError("an event pattern must be a JSON object with at least one key")
    for key, value in pattern.items():
        if key == "$or" and isinstance(value, list) and len(value) > 1:
            for alternative in value:
                check(alternative)
        elif isinstance(value, dict):
            check(value)
        elif isinstance(value, list) and value:
            for rule in value:
                _filter(rule)
        else:
            raise InvalidPatternError(f'"{key}" must be an object or a non-empty array')


def matches(pattern: Pattern, event: Any) -> bool:  # noqa: ANN401 - any part of an event
    """Whether `event` has everything `pattern` asks for: keys are all needed, the values of a key are alternatives."""
    return all(_key_matches(key, value, event) for key, value in pattern.items())


def _key_matches(key: str, wanted: Any, event: Any) -> bool:  # noqa: ANN401
    if key == "$or":
        return any(matches(alternative, event) for alternative in wanted)
    if isinstance(event, list):
        return any(_key_matches(key, wanted, item) for item in event)
    found = [event[key]] if isinstance(event, dict) and key in event else []
    if isinstance(wanted, dict):
        # A missing branch may still satisfy {"exists": false} further down.
        return matches(wanted, found[0] if found else {})
    values = list(_leaves(found))
    return any(_rule_matches(rule, values) for rule in wanted)


def _leaves(values: Iterable[Any]) -> Iterable[Any]:
    """An array in the event matches if one of its elements does; objects have no value to compare."""
    lists = chain.from_iterable(_leaves(value) for value in values if isinstance(value, list))
    return chain((value for value in values if not isinstance(value, (dict, list))), lists)


def _rule_matches(rule: Any, values: list[Any]) -> bool:  # noqa: ANN401
    if isinstance(rule, dict) and "exists" in rule:
        return bool(values) is rule["exists"]
    return any(map(_filter(rule), values))


def _filter(rule: Any) -> Filter:  # noqa: ANN401
    if not isinstance(rule, dict):
        if isinstance(rule, list):
            raise InvalidPatternError("an array cannot stand inside an array")
        return lambda value: _same(value, rule)
    if len(rule) != 1:
        raise InvalidPatternError(f"a match expression must have exactly one key, not {sorted(rule)}")
    name, argument = next(iter(rule.items()))
    make = _FILTERS.get(name)
    if make is None:
        raise InvalidPatternError(f'unrecognized match type "{name}"; known are {", ".join(sorted(_FILTERS))}')
    return make(argument)


def _same(value: Any, wanted: Any) -> bool:  # noqa: ANN401
    """JSON's equality: true is not 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _text(test: Callable[[str], bool]) -> Filter:
    return lambda value: isinstance(value, str) and test(value)


def _string(argument: Any, name: str) -> str:  # noqa: ANN401
    if not isinstance(argument, str):
        raise InvalidPatternError(f'"{name}" takes a string, not {argument!r}')
    return argument


def _affix(name: str, test: Callable[[str, str], bool]) -> Callable[[Any], Filter]:
    def make(argument: Any) -> Filter:  # noqa: ANN401
        if isinstance(argument, dict) and argument.keys() == {"equals-ignore-case"}:
            folded = _string(argument["equals-ignore-case"], name).lower()
            return _text(lambda value: test(value.lower(), folded))
        wanted = _string(argument, name)
        return _text(lambda value: test(value, wanted))

    return make


def _equals_ignore_case(argument: Any) -> Filter:  # noqa: ANN401
    wanted = _string(argument, "equals-ignore-case").lower()
    return _text(lambda value: value.lower() == wanted)


def _wildcard(argument: Any) -> Filter:  # noqa: ANN401
    text = _string(argument, "wildcard")
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", text)
    if ("*", "*") in pairwise(parts):
        raise InvalidPatternError('"wildcard" does not take consecutive * characters')
    expression = "".join(".*" if part == "*" else re.escape(re.sub(r"\\([*\\])", r"\1", part)) for part in parts)
    compiled = re.compile(expression, re.DOTALL)
    return _text(lambda value: compiled.fullmatch(value) is not None)


def _numeric(argument: Any) -> Filter:  # noqa: ANN401
    pairs = list(zip(argument[::2], argument[1::2], strict=False)) if isinstance(argument, list) else []
    if not pairs or len(argument) % 2 or not all(op in _COMPARE and _number(bound) for op, bound in pairs):
        raise InvalidPatternError(f'"numeric" takes pairs like [">", 0, "<=", 5], not {argument!r}')
    return lambda value: _number(value) and all(_COMPARE[op](value, bound) for op, bound in pairs)


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _anything_but(argument: Any) -> Filter:  # noqa: ANN401
    if isinstance(argument, dict):
        if len(argument) != 1 or not argument.keys() <= {"prefix", "suffix", "equals-ignore-case", "wildcard"}:
            raise InvalidPatternError(f'"anything-but" does not take {argument!r}')
        name, inner = next(iter(argument.items()))
        refused = [_FILTERS[name](item) for item in (inner if isinstance(inner, list) else [inner])]
    else:
        refused = [_filter(item) for item in (argument if isinstance(argument, list) else [argument])]
    return lambda value: not any(test(value) for test in refused)


def _exists(argument: Any) -> Filter:  # noqa: ANN401
    if not isinstance(argument, bool):
        raise InvalidPatternError(f'"exists" takes true or false, not {argument!r}')
    return lambda _: argument


def _cidr(argument: Any) -> Filter:  # noqa: ANN401
    network = ipaddress.ip_network(_string(argument, "cidr"), strict=False)

    def inside(value: str) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return _text(inside)


_FILTERS: dict[str, Callable[[Any], Filter]] = {
    "prefix": _affix("prefix", str.startswith),
    "suffix": _affix("suffix", str.endswith),
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "anything-but": _anything_but,
    "exists": _exists,
    "cidr": _cidr,
}
