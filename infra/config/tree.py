"""Values that remember where they were written, and how an overlay is laid over a file."""

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Origin:
    """Where a value stands.

    Attributes:
        line: counted from 1.
        overlay: the environment whose overlay it stands in; None in the file's common part.
    """

    line: int
    overlay: str | None = None


@dataclass(frozen=True)
class Node:
    """A value of a YAML file: a mapping, a list or a scalar.

    Attributes:
        value: child nodes by key, child nodes in order, or the scalar itself.
        origin: where it stands; not part of its identity.
        text: a plain scalar as it was written, where YAML may have read it otherwise than it was meant.
    """

    value: "dict[str, Node] | list[Node] | Any"
    origin: Origin = field(default=Origin(1), compare=False)
    text: str | None = field(default=None, compare=False)

    @property
    def entries(self) -> "dict[str, Node]":
        """The child nodes of a mapping, by key; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def plain(self) -> Any:  # noqa: ANN401 - whatever the file holds
        """The value without origins."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, part: str | int) -> "Node | None":
        """The child under a key or index, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            node: Node = self.value[part]
            return node
        return None

    def at(self, path: Path) -> "Node | None":
        """The node at `path`, if there is one."""
        node: Node | None = self
        for part in path:
            node = None if node is None else node.child(part)
        return node

    def nearest(self, path: Path) -> "Node":
        """The node at `path`, or else the closest one above it."""
        node = self
        for part in path:
            child = node.child(part)
            if child is None:
                break
            node = child
        return node


def merge(base: Node, overlay: Node) -> Node:
    """Lay `overlay` over `base`: mappings merge key by key, everything else is replaced, null included."""
    if not (isinstance(base.value, dict) and isinstance(overlay.value, dict)):
        return overlay
    merged = dict(base.value)
    for key, child in overlay.value.items():
        merged[key] = merge(merged[key], child) if key in merged else child
    return Node(merged, base.origin)


def key_path(path: Path) -> str:
    """A path as the user writes it: `features.numeric[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def parse_key_path(text: str) -> Path:
    """The inverse of `key_path`, for keys without dots and brackets."""
    parts = text.replace("[", ".[").split(".")
    return tuple(int(part[1:-1]) if part.startswith("[") else part for part in parts)
