"""Arguments checked against a block of the provider's schema, and made plain: no None, no tuple."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infra.provider.framework import Construct

Block = dict[str, Any]
MANY = ("list", "set")


class Arguments:
    """Checks the arguments of one resource and gathers what is wrong with them.

    Attributes:
        problems: One sentence a problem, each beginning with the argument's path.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def block(self, block: Block, given: Mapping[str, Any], path: str = "") -> dict[str, Any]:
        """The arguments of `block` as Terraform takes them; None counts as not given."""
        given = {name: value for name, value in given.items() if value is not None}
        attributes, blocks = block.get("attributes", {}), block.get("block_types", {})
        plain: dict[str, Any] = {}
        for name, value in given.items():
            where = f"{path}{name}"
            if name in blocks:
                plain |= self._blocks(name, blocks[name], value, where)
            elif name not in attributes:
                self.problems.append(f"{where} is not an argument here{did_you_mean(name, _settable(block))}")
            elif is_computed_only(attributes[name]):
                self.problems.append(f"{where} is set by AWS, it can only be read: remove it")
            else:
                plain[name] = self.value(attributes[name]["type"], value, where)
        self._missing(block, given, path)
        return plain

    def value(self, expected: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - a Terraform type and its value
        """`value` as the Terraform type `expected` takes it; a reference or a function's result is taken as it is."""
        if _is_token(value, expected):
            return value
        match expected:
            case ["list" | "set" | "tuple", element] if isinstance(value, list | tuple):
                return [self.value(element, item, f"{where}[{index}]") for index, item in enumerate(value)]
            case ["map", element] if isinstance(value, Mapping):
                return {str(key): self.value(element, item, f"{where}.{key}") for key, item in value.items()}
            case ["object", fields] if isinstance(value, Mapping):
                return self.block({"attributes": _all_required(fields)}, value, f"{where}.")
            case str() if _is_scalar(expected, value):
                return value
        self.problems.append(f"{where} is {_shown(value)}, expected a {describe(expected)}{_hint(expected, value)}")
        return value

    def _blocks(self, name: str, schema: Block, value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401
        """A nested block: an object where there can be one, a list of objects otherwise; nothing for an empty list."""
        items = [value] if isinstance(value, Mapping) else value
        if not isinstance(items, Sequence) or not all(isinstance(item, Mapping) for item in items):
            self.problems.append(f"{where} is {_shown(value)}, expected a dict (or a list of dicts)")
            return {}
        low, high = (
            schema.get("min_items", 0),
            schema.get("max_items", 1 if schema["nesting_mode"] == "single" else None),
        )
        if len(items) < low or (high is not None and len(items) > high):
            self.problems.append(f"{where} has {len(items)} blocks, expected {_limits(low, high)}")
        single = isinstance(value, Mapping) or high == 1
        paths = [f"{where}." if single else f"{where}[{index}]." for index in range(len(items))]
        plain = [self.block(schema["block"], item, path) for item, path in zip(items, paths, strict=True)]
        return {name: plain[0] if high == 1 else plain} if plain else {}

    def _missing(self, block: Block, given: Mapping[str, Any], path: str) -> None:
        for name in required(block):
            if name not in given:
                self.problems.append(f"{path}{name} is missing, and required")


def required(block: Block) -> list[str]:
    """What must be given: required attributes, and blocks of which there must be one."""
    attributes = [name for name, attribute in block.get("attributes", {}).items() if attribute.get("required")]
    return attributes + [name for name, nested in block.get("block_types", {}).items() if nested.get("min_items")]


def is_computed_only(attribute: Mapping[str, Any]) -> bool:
    """Whether AWS alone sets the attribute."""
    return bool(attribute.get("computed")) and not attribute.get("optional") and not attribute.get("required")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`: did you mean x?`, or nothing when no known name is near."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f": did you mean {near[0]}?" if near else ""


def describe(expected: Any, plural: str = "") -> str:  # noqa: ANN401 - a Terraform type
    """A Terraform type in words: `["list", "string"]` is "list of strings"; `plural` is "s" for more than one."""
    match expected:
        case ["list" | "set" | "tuple", element]:
            return f"list{plural} of {describe(element, 's')}"
        case ["map", element]:
            return f"dict{plural} of {describe(element, 's')}"
        case ["object", _]:
            return f"dict{plural}"
    return f"{expected}{plural}"


def _settable(block: Block) -> list[str]:
    settable = [name for name, attribute in block.get("attributes", {}).items() if not is_computed_only(attribute)]
    return settable + list(block.get("block_types", {}))


def _all_required(fields: Mapping[str, Any]) -> Block:
    """Terraform takes an object only whole: an attribute (unlike a block) has no optional keys."""
    return {name: {"type": field, "required": True} for name, field in fields.items()}


def _is_token(value: Any, expected: Any) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return "${" in value and expected != "string"
    return hasattr(value, "__jsii_type__") and not isinstance(value, Construct)


def _is_scalar(expected: str, value: Any) -> bool:  # noqa: ANN401
    match expected:
        case "string":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return True


def _limits(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"exactly {low}" if low == high else f"{low} to {high}" if low else f"at most {high}"


def _hint(expected: Any, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Construct):
        return ": give one of its attributes, such as its arn"
    if isinstance(value, set | frozenset):
        return ": a set has no order, give a sorted list"
    if expected == "string" and isinstance(value, bool | int | float):
        return f': write "{str(value).lower()}"'
    if isinstance(value, str) and isinstance(expected, list) and expected[0] in MANY:
        return f': write ["{value}"]'
    return ""


def _shown(value: Any) -> str:  # noqa: ANN401
    kind = type(value).__name__
    return (
        f"a {kind}"
        if isinstance(value, Construct | Mapping | Sequence) and not isinstance(value, str)
        else f"{value!r} ({kind})"
    )
