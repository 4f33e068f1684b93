"""What keys there are: found from the section classes themselves, for suggestions."""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from infra.config.base import Section
from infra.config.tree import Path


def sections_in(annotation: Any) -> list[type[Section]]:  # noqa: ANN401 - any type expression
    """The section classes that a field's type allows."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return [section for part in get_args(annotation) for section in sections_in(part)]
    return []


def known_keys(section: type[Section], loc: Path) -> set[str]:
    """The keys that could stand beside the last one of a pydantic error location."""
    candidates = [section]
    for part in loc[:-1]:
        tagged = [one for one in candidates if _tag(one) == part]
        if tagged:
            candidates = tagged
            continue
        fields = [one.model_fields[str(part)] for one in candidates if part in one.model_fields]
        candidates = [below for field in fields for below in sections_in(field.annotation)]
    return {name for one in candidates for name in (*one.model_fields, *one.loader_keys)}


def _tag(section: type[Section]) -> str | None:
    kind = section.model_fields.get("kind")
    if kind is None or get_origin(kind.annotation) is not Literal:
        return None
    return str(get_args(kind.annotation)[0])
