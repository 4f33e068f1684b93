"""What a model's file says of single environments, laid over what it says of all."""

from collections.abc import Iterator
from pathlib import Path

from infra.config.errors import ConfigError, Problem, did_you_mean
from infra.config.files import environment_names
from infra.config.tree import Node, Origin, merge
from infra.config.yaml_source import shown


def with_overlay(node: Node, environment: str, root: Path, path: Path) -> Node:
    """A model's file as it is in an environment, not yet validated; `environments` is taken out of `node`.

    Raises:
        ConfigError: `environments` in it is malformed.
    """
    overlays = node.entries.pop("environments", None)
    if overlays is None:
        return node
    if problems := list(_problems(overlays, root, shown(path))):
        raise ConfigError(problems)
    overlay = overlays.child(environment)
    return node if overlay is None else merge(node, _of_overlay(overlay, environment))


def _problems(overlays: Node, root: Path, file: str) -> Iterator[Problem]:
    if not isinstance(overlays.value, dict):
        yield Problem(
            file, overlays.origin.line, "environments", "must be a mapping of environments to what differs there"
        )
        return
    known = environment_names(root)
    for name, overlay in overlays.value.items():
        if name not in known:
            fix = did_you_mean(name, known, "environments")
            yield Problem(file, overlay.origin.line, f"environments.{name}", f"is not an environment: {fix}")
        elif not isinstance(overlay.value, dict):
            message = "must be a mapping of what differs there: fill it or remove it"
            yield Problem(file, overlay.origin.line, f"environments.{name}", message)


def _of_overlay(node: Node, environment: str) -> Node:
    """The same nodes, knowing that they stand in an overlay."""
    origin = Origin(node.origin.line, environment)
    if isinstance(node.value, dict):
        return Node({key: _of_overlay(child, environment) for key, child in node.value.items()}, origin, node.text)
    if isinstance(node.value, list):
        return Node([_of_overlay(child, environment) for child in node.value], origin, node.text)
    return Node(node.value, origin, node.text)
