"""The conditions of a policy's statement, held against what is known of a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final

from infra.local.identity.wildcards import matches, matches_arn

Context = Mapping[str, tuple[str, ...]]
"""What is known of a request: condition keys in lower case, each with one value or several."""


class UnsupportedPolicyError(Exception):
    """A policy holds something that cannot be evaluated here; it is never passed over."""


def context(**values: str | tuple[str, ...]) -> Context:
    """A context from keyword arguments; spell the keys by unpacking a dict: `context(**{"aws:SourceAccount": "…"})`."""
    return {key.lower(): (value,) if isinstance(value, str) else value for key, value in values.items()}


def hold(conditions: Mapping[str, Mapping[str, Any]], known: Context) -> bool:
    """Whether every condition holds.

    Args:
        conditions: a statement's `Condition`: from operators to keys to a value or several.
        known: the request's context.

    Raises:
        UnsupportedPolicyError: an operator is none that is known, or a value has a policy variable.
    """
    return all(
        _holds(operator, _listed(key, wanted), known.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, wanted: tuple[str, ...], given: tuple[str, ...] | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    may_be_absent = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (given is None) == (wanted[0].lower() == "true")
    negated = name in _NEGATED
    compare = _COMPARISONS.get(_NEGATED.get(name, name))
    if compare is None or quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        raise UnsupportedPolicyError(f"the condition operator {operator}")
    if given is None:
        return may_be_absent or quantifier == "ForAllValues" or (negated and quantifier == "")
    each = [any(compare(one, value) for one in wanted) != negated for value in given]
    if quantifier:
        return all(each) if quantifier == "ForAllValues" else any(each)
    return all(each) if negated else any(each)


def _listed(key: str, wanted: Any) -> tuple[str, ...]:  # noqa: ANN401 - a value of JSON, or a list of them
    values = tuple(_text(value) for value in (wanted if isinstance(wanted, list) else [wanted]))
    if any("${" in value for value in values):
        raise UnsupportedPolicyError(f"the policy variable in the condition on {key}")
    return values


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(text: str) -> datetime:
    if text.isdecimal():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    def compare(wanted: str, value: str) -> bool:
        try:
            return holds(read(value), read(wanted))
        except ValueError:
            return False

    return compare


_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "Equals": lambda value, wanted: bool(value == wanted),
    "LessThan": lambda value, wanted: bool(value < wanted),
    "LessThanEquals": lambda value, wanted: bool(value <= wanted),
    "GreaterThan": lambda value, wanted: bool(value > wanted),
    "GreaterThanEquals": lambda value, wanted: bool(value >= wanted),
}
_COMPARISONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": matches,
    "BinaryEquals": lambda wanted, value: wanted == value,
    "ArnEquals": matches_arn,
    "ArnLike": matches_arn,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "IpAddress": _compared(str, lambda value, wanted: ip_address(value) in ip_network(wanted, strict=False)),
    **{f"Numeric{name}": _compared(float, order) for name, order in _ORDERS.items()},
    **{f"Date{name}": _compared(_moment, order) for name, order in _ORDERS.items()},
}
_NEGATED: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
"""Operators that hold where another does not, and where the key is not there at all."""
