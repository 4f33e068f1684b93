"""What keys there are: found from the section classes themselves, for suggestions."""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from infra.config.base import Section
from infra.config.described import descriptions
from infra.config.tree import Path


def known_keys(section: type[Section], loc: Path) -> set[str]:
    """The keys that could stand beside the last one of a pydantic error location."""
    return {name for one in _sections_at(section, loc[:-1]) for name in (*one.model_fields, *one.loader_keys)}


def refusal(section: type[Section], loc: Path) -> str | None:
    """Why the key at a pydantic error location has no place there; None if it is no key of a related section."""
    reasons = [one.refused[str(loc[-1])] for one in _sections_at(section, loc[:-1]) if loc[-1] in one.refused]
    return reasons[0] if reasons else None


def kinds(section: type[Section], loc: Path) -> list[str]:
    """The kinds that the section at a pydantic error location could be of."""
    return [tag for one in _sections_at(section, loc) if (tag := _tag(one)) is not None]


def meaning(section: type[Section], loc: Path) -> str:
    """What the field at a pydantic error location says, to stand within a sentence."""
    name = str(loc[-1])
    texts = [descriptions(one).get(name, "") for one in _sections_at(section, loc[:-1]) if name in one.model_fields]
    text = texts[0] if texts else ""
    return text[:1].lower() + text[1:].rstrip(".") if text[1:2].islower() else text.rstrip(".")


def _sections_at(section: type[Section], loc: Path) -> list[type[Section]]:
    candidates = [section]
    for part in (part for part in loc if isinstance(part, str)):
        tagged = [one for one in candidates if _tag(one) == part]
        if tagged:
            candidates = tagged
            continue
        fields = [one.model_fields[part] for one in candidates if part in one.model_fields]
        candidates = [below for field in fields for below in _sections_in(field.annotation)]
    return candidates


def _sections_in(annotation: Any) -> list[type[Section]]:  # noqa: ANN401 - any type expression
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, Annotated, tuple):
        return [section for part in get_args(annotation) for section in _sections_in(part)]
    return []


def _tag(section: type[Section]) -> str | None:
    kind = section.model_fields.get("kind")
    if kind is None or get_origin(kind.annotation) is not Literal:
        return None
    return str(get_args(kind.annotation)[0])
