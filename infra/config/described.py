"""What the docstring below each field says: read when asked for, since each synth would pay for it."""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent

from infra.config.base import Section


@cache
def descriptions(section: type[Section]) -> Mapping[str, str]:
    """By field, its docstring; those that are inherited too."""
    classes = (one for one in reversed(section.__mro__) if issubclass(one, Section))
    return {name: text for one in classes for name, text in _own(one) if name in section.model_fields}


def _own(section: type[Section]) -> list[tuple[str, str]]:
    source = ast.parse(dedent(inspect.getsource(section)))
    definition = next(node for node in source.body if isinstance(node, ast.ClassDef))
    return [
        (field.target.id, inspect.cleandoc(below.value.value))
        for field, below in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    ]
