"""Refusing what AWS would refuse: a request held against the limits in botocore's service model.

botocore's own validator checks types and required members only; lengths, patterns and choices are AWS's to check, and
so the local cloud's.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from moto.core.exceptions import ServiceException

from infra.pipelines.service_model import compiled

Json = dict[str, Any]


class ValidationException(ServiceException):  # type: ignore[misc]
    """The request is not one that AWS takes."""

    code = "ValidationException"


class UnsupportedOperation(ServiceException):  # type: ignore[misc]
    """AWS would do this; the local cloud cannot, and says so."""

    code = "UnsupportedOperation"

    def __init__(self, what: str) -> None:
        super().__init__(f"The local cloud does not support {what}.")


def check(service: str, operation: str, request: Json) -> None:
    """Hold `request` against the operation's input shape.

    Raises:
        ValidationException: all that is wrong with it, in AWS's words.
    """
    problems = list(_problems(request, _input_shape(service, operation), ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise ValidationException(f"{count}: {'; '.join(problems)}")


@cache
def _input_shape(service: str, operation: str) -> Shape:
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


def _problems(value: Any, shape: Shape, path: str) -> Iterator[str]:  # noqa: ANN401 - any part of a request
    for rule in _broken_rules(value, shape):
        yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {rule}"
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _member_problems(value, shape, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _problems(item, shape.member, f"{path}.{number}.member")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from _problems(key, shape.key, path)
            yield from _problems(item, shape.value, f"{path}.{key}")


def _member_problems(value: Json, shape: StructureShape, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_member(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(value[name], member, _member(path, name))


def _broken_rules(value: Any, shape: Shape) -> Iterator[str]:  # noqa: ANN401 - any part of a request
    size, what = (value, "value") if isinstance(value, int | float) else (_length(value), "length")
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if size is not None and least is not None and size < least:
        yield f"Member must have {what} greater than or equal to {least}"
    if size is not None and most is not None and size > most:
        yield f"Member must have {what} less than or equal to {most}"
    if isinstance(shape, StringShape) and isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        pattern = shape.metadata.get("pattern")
        if pattern and not _pattern(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """AWS's patterns are Java's; one that Python cannot read holds nothing back."""
    return compiled(pattern) or re.compile(".*", re.DOTALL)


def _length(value: Any) -> int | None:  # noqa: ANN401 - any part of a request
    return len(value) if isinstance(value, str | list | dict) else None


def _member(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:  # noqa: ANN401 - any part of a request
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004
