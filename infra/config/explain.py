"""From pydantic's errors to problems that say where the value stands, which rule it breaks, and how to mend it."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.config.base import PATTERN_RULES, Broken, RulesBroken, Section
from infra.config.errors import Problem, did_you_mean
from infra.config.fields import kinds, known_keys, meaning, refusal
from infra.config.tree import Node, Path, key_path, parse_key_path

CONSEQUENCES: Final = frozenset({"default_factory_not_called"})
"""Errors that only follow from another one."""

KINDS: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "path_type": "text",
    "datetime_type": "a date and time",
}
LIMITS: Final = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def problems_of(error: ValidationError, section: type[Section], file: str, root: Node) -> Iterator[Problem]:
    """Each thing wrong with `root` as a `section`, once.

    Args:
        error: what pydantic found.
        section: the class that was validated.
        file: the file's name, as messages show it.
        root: what was validated.
    """
    branches: dict[Path, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        if details["type"] not in CONSEQUENCES:
            branches.setdefault(_path(details, root), []).append(details)
    for path, all_details in branches.items():
        rules = (details.get("ctx", {}).get("error") for details in all_details)
        broken = [
            (details, rule) for details, rule in zip(all_details, rules, strict=True) if isinstance(rule, RulesBroken)
        ]
        for details, rule in broken:
            yield from _rule_problems(details, rule, file, root)
        if not broken:
            yield _place(file, root, path, _message(all_details, section, root.at(path)))


def _path(details: ErrorDetails, root: Node) -> Path:
    """The error's place in the file: pydantic's location without the names of union members."""
    node = root
    path: Path = ()
    for position, part in enumerate(details["loc"]):
        child = node.child(part)
        if child is not None:
            node, path = child, (*path, part)
        elif details["type"] == "missing" and position == len(details["loc"]) - 1:
            path = (*path, part)
    return (*path, "kind") if details["type"] == "union_tag_invalid" else path


def _rule_problems(details: ErrorDetails, rule: RulesBroken, file: str, root: Node) -> Iterator[Problem]:
    path = _path(details, root)
    section = path[:-1] if path[-1:] == (rule.field,) else path
    for broken in rule.broken:
        path, message = _culprit(broken, section, root)
        yield _place(file, root, path, message)


def _culprit(broken: Broken, section: Path, root: Node) -> tuple[Path, str]:
    """The place to show: the first that stands in the overlay, else in the file, else the first of all."""
    places = [((*section, *parse_key_path(text)), message) for text, message in broken.places]
    written = [(place, node) for place in places if (node := root.at(place[0])) is not None]
    overlaid = [place for place, node in written if node.origin.overlay is not None]
    return (overlaid or [place for place, _ in written] or places)[0]


def _place(file: str, root: Node, path: Path, message: str) -> Problem:
    origin = root.nearest(path).origin
    shown = path if origin.overlay is None else ("environments", origin.overlay, *path)
    return Problem(file, origin.line, key_path(shown), message)


def _message(branches: list[ErrorDetails], section: type[Section], node: Node | None) -> str:
    details = next((branch for branch in branches if branch["type"] not in KINDS), branches[0])
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "missing":
        return f"is missing: add it ({meaning(section, details['loc'])})"
    if kind == "union_tag_not_found":
        return f"needs a kind: {' or '.join(kinds(section, details['loc']))}"
    if kind == "union_tag_invalid":
        return f'is "{context["tag"]}" but must be {" or ".join(context["expected_tags"].split(", "))}'
    if kind == "extra_forbidden":
        return _unknown(section, details["loc"])
    if kind in KINDS:
        wanted = _wanted({KINDS[branch["type"]] for branch in branches})
        return f"is {_shown(value, node)} but must be {wanted}{_quoting(wanted, value, node)}"
    return f"is {_shown(value, node)} but {_rule(kind, context, details['msg'])}"


def _unknown(section: type[Section], loc: tuple[int | str, ...]) -> str:
    if reason := refusal(section, loc):
        return f"has no place here: {reason}; remove it"
    return f"is not a known key: {did_you_mean(str(loc[-1]), known_keys(section, loc), 'valid keys')}"


def _wanted(kinds: set[str]) -> str:
    return kinds.pop() if len(kinds) == 1 else "a number, text, true or false"


def _rule(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind in LIMITS:
        words, limit = LIMITS[kind]
        return f"must be {words} {context[limit]:g}"
    special = _RULES.get(kind)
    return f"is wrong: {message}" if special is None else special(context)


_RULES: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "string_pattern_mismatch": lambda context: PATTERN_RULES[context["pattern"]],
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "too_short": lambda context: f"must have {context['min_length']} or more entries",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "literal_error": lambda context: f"must be {context['expected']}",
    "finite_number": lambda _: "must be a finite number",
    "timezone_aware": lambda _: "must have a time zone: end it with Z",
}


def _shown(value: object, node: Node | None) -> str:
    """A value as the file has it, cut short."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str) or node is None or node.text is None:
        return json.dumps(value, ensure_ascii=False, default=str)[:100]
    return node.text


def _quoting(wanted: str, value: object, node: Node | None) -> str:
    """The commonest trap: YAML reads an account, a version or a date without quotes as something else than text."""
    if wanted != "text" or value is None or node is None or node.text is None:
        return ""
    return f': put it in quotes, "{node.text}"'
