"""Read a YAML file into nodes that know their lines; refuse what could be read in two ways."""

from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from infra.config.errors import ConfigError, Problem
from infra.config.tree import Node, Origin

STANDARD_TAGS: Final = "tag:yaml.org,2002:"
LARGEST_BYTES: Final = 1_000_000
MOST_VALUES: Final = 100_000
"""Aliases of aliases can make a small file explode."""


def shown(path: Path) -> str:
    """A path as messages name it: relative to the working folder where it lies below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_yaml(path: Path) -> Node:
    """The mapping that a YAML (or JSON) file holds.

    Raises:
        ConfigError: the file cannot be read, is not one YAML mapping, repeats a key, or uses tags or merge keys.
    """
    file = shown(path)
    text = _read(path, file)
    try:
        return _nodes(file, text)
    except RecursionError:
        raise ConfigError([Problem(file, None, "", "is nested too deeply: this is no configuration")]) from None


def _nodes(file: str, text: str) -> Node:
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        raise ConfigError([_syntax_problem(file, error)]) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(file, line, "", "holds a character that YAML does not allow: remove it")]) from None
    if root is None:
        raise ConfigError([Problem(file, 1, "", "is empty: write a mapping of keys to values")])
    if not isinstance(root, MappingNode):
        line = root.start_mark.line + 1
        raise ConfigError(
            [Problem(file, line, "", f"is a {_kind(root)} but must be a mapping: write `key: value` lines")]
        )
    return _Reader(file, yaml).mapping(root)


def _read(path: Path, file: str) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ConfigError(
                [Problem(file, None, "", f"is larger than {LARGEST_BYTES:,} bytes: this is no configuration")]
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start}): save it as UTF-8"
        raise ConfigError([Problem(file, None, "", message)]) from None
    except OSError as error:
        raise ConfigError([Problem(file, None, "", f"cannot be read: {error.strerror}")]) from None


def _syntax_problem(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    message = str(error.problem)
    if "'\\t'" in message:
        return Problem(file, line, "", "holds a tab: YAML is indented with spaces")
    if "another document" in message:
        return Problem(file, line, "", "holds a second document: remove the `---` and what follows")
    if "mapping values are not allowed" in message:
        return Problem(file, line, "", "is not YAML: a `:` where none can be; put a value that holds `: ` in quotes")
    context = f" {error.context}" if error.context else ""
    return Problem(file, line, "", f"is not YAML: {message}{context}")


def _kind(node: Any) -> str:  # noqa: ANN401 - ruamel's nodes have no common public type
    return "list" if isinstance(node, SequenceNode) else "single value"


class _Reader:
    """Turns composed nodes into ours; all problems of the file are raised at once, by `mapping` of the root."""

    def __init__(self, file: str, yaml: YAML) -> None:
        self._file = file
        self._constructor = yaml.constructor
        self._problems: list[Problem] = []
        self._open: list[Any] = []
        self._count = 0

    def mapping(self, root: MappingNode) -> Node:
        node = self._node(root, "", root.start_mark.line + 1)
        if self._problems:
            raise ConfigError(self._problems)
        return node

    def _node(self, raw: Any, key: str, line: int) -> Node:  # noqa: ANN401
        self._count += 1
        if self._count > MOST_VALUES:
            raise ConfigError(
                [Problem(self._file, line, key, f"brings the file to {MOST_VALUES:,} values: use fewer aliases")]
            )
        if raw in self._open:
            return self._refuse(line, key, "is an alias of what it stands in: write the value out")
        self._open.append(raw)
        try:
            if isinstance(raw, MappingNode):
                return Node(self._entries(raw, key), Origin(line))
            if isinstance(raw, SequenceNode):
                items = [
                    self._node(item, f"{key}[{index}]", item.start_mark.line + 1)
                    for index, item in enumerate(raw.value)
                ]
                return Node(items, Origin(line))
            return self._scalar(raw, key, line)
        finally:
            self._open.pop()

    def _entries(self, raw: MappingNode, parent: str) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key_node, value_node in raw.value:
            line = key_node.start_mark.line + 1
            name = key_node.value if isinstance(key_node, ScalarNode) else ""
            key = f"{parent}.{name}".removeprefix(".")
            if not isinstance(key_node, ScalarNode):
                self._refuse(line, parent, "has a key that is not a single word: write `key: value`")
            elif name == "<<":
                self._refuse(line, key, "is a merge key, which is not supported: write the values out")
            elif name in entries:
                first = entries[name].origin.line
                self._refuse(line, key, f"stands here for the second time (first in line {first}): keep one")
            else:
                entries[name] = self._node(value_node, key, line)
        return entries

    def _scalar(self, raw: ScalarNode, key: str, line: int) -> Node:
        try:
            value = self._constructor.construct_object(raw)
        except (YAMLError, ValueError):
            if str(raw.tag).startswith(STANDARD_TAGS):
                return self._refuse(line, key, f"is {raw.value}, which YAML takes for something else: put it in quotes")
            return self._refuse(line, key, f"has the tag {raw.tag}, which means nothing here: remove it")
        return Node(value, Origin(line), raw.value if raw.style is None else None)

    def _refuse(self, line: int, key: str, message: str) -> Node:
        self._problems.append(Problem(self._file, line, key, message))
        return Node(None, Origin(line))
