"""A model as it is in one environment, with the place each value comes from. What is printed is a model file itself."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.config.environment import EnvironmentConfig
from infra.config.load import load_model, read_model
from infra.config.tree import Node
from infra.config.tree import Path as KeyPath
from infra.config.yaml_source import shown

PLAIN: Final = re.compile(r"[A-Za-z][\w@/.-]*")
READ_OTHERWISE: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that some YAML reader takes for something else than text."""
UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Line:
    """One line of the output.

    Attributes:
        text: YAML, indented.
        source: where the value comes from; empty for the head of a section.
    """

    text: str
    source: str


def show_model(name: str, environment: EnvironmentConfig, root: Path) -> list[Line]:
    """The effective configuration of a model, a line each.

    Raises:
        ConfigError: the model's file is wrong.
    """
    model = load_model(name, environment, root)
    path, node = read_model(name, environment.name, root)
    return list(_lines(model.model_dump(mode="json"), (), node, shown(path)))


def _lines(section: dict[str, Any], above: KeyPath, node: Node, file: str) -> Iterator[Line]:
    indent = "  " * len(above)
    for key, value in section.items():
        path = (*above, key)
        if isinstance(value, dict) and value:
            yield Line(f"{indent}{as_yaml(key)}:", "")
            yield from _lines(value, path, node, file)
        else:
            yield Line(f"{indent}{as_yaml(key)}: {as_yaml(value)}", _source(node.at(path), file))


def _source(node: Node | None, file: str) -> str:
    if node is None:
        return "default"
    where = f"{file}:{node.origin.line}"
    return where if node.origin.overlay is None else f"{node.origin.overlay} overlay, {where}"


def as_yaml(value: object) -> str:
    """A value on one line of YAML, in quotes where any YAML reader could take it for something else."""
    if isinstance(value, list):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in READ_OTHERWISE:
        return value
    if isinstance(value, float):
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
