"""Conditions: AWS's operators, one after the other, and what they say of keys that are not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.identity.conditions import context, hold

KEY = "aws:SourceAccount"
SINGLE = ("StringEquals", "StringLike", "NumericEquals", "ArnLike", "Bool", "IpAddress")
NEGATIVES = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "NumericNotEquals": "NumericEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "DateNotEquals": "DateEquals",
}
values = st.sampled_from(["1", "2", "12", "a", "A", "*", "10.0.0.1", "10.0.0.0/8", "arn:aws:s3:::b/k", "2020-01-01"])


def holds(operator, wanted, **known):
    return hold({operator: {KEY: wanted}}, context(**{key.replace("_", ":"): value for key, value in known.items()}))


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringLike", "churn/*", "churn/labelled/1", True),
        ("StringLike", "churn/?", "churn/12", False),
        ("ArnLike", "arn:aws:events:*:1:rule/mine-*", "arn:aws:events:eu-west-1:1:rule/mine-new", True),
        ("ArnLike", "arn:aws:*:rule/mine", "arn:aws:events:eu-west-1:1:rule/mine", False),
        ("ArnEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("NumericLessThanEquals", "10", "9.5", True),
        ("NumericGreaterThan", 10, "10", False),
        ("NumericLessThan", "10", "ten", False),
        ("DateGreaterThan", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", True),
        ("DateLessThan", "2020-01-01", "1577836799", True),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ],
)
def test_an_operator_compares_as_aws_says(operator, wanted, value, expected):
    assert holds(operator, wanted, aws_SourceAccount=value) is expected


@given(st.sampled_from(sorted(NEGATIVES)), st.lists(values, min_size=1, max_size=3), values)
def test_a_negated_operator_holds_where_its_positive_does_not(operator, wanted, value):
    known = {"aws_SourceAccount": value}
    assert holds(operator, wanted, **known) != holds(NEGATIVES[operator], wanted, **known)


@pytest.mark.parametrize("operator", SINGLE)
def test_a_key_that_is_not_there_fails_an_operator_unless_it_says_if_exists(operator):
    assert not holds(operator, "1")
    assert holds(f"{operator}IfExists", "1")


@pytest.mark.parametrize("operator", sorted(NEGATIVES))
def test_a_key_that_is_not_there_is_unlike_any_value(operator):
    assert holds(operator, "1")


def test_null_asks_whether_a_key_is_there():
    assert holds("Null", "true")
    assert not holds("Null", "true", aws_SourceAccount="1")
    assert holds("Null", "false", aws_SourceAccount="1")


def test_keys_are_read_in_any_case():
    assert hold({"StringEquals": {"AWS:sourceACCOUNT": "1"}}, context(**{KEY: "1"}))


def test_of_several_values_all_or_any_must_be_among_those_wanted():
    known = context(**{"aws:TagKeys": ("model", "owner")})
    for operator, wanted, expected in (
        ("ForAllValues:StringEquals", ["model", "owner", "cost"], True),
        ("ForAllValues:StringEquals", ["model"], False),
        ("ForAnyValue:StringEquals", ["model"], True),
        ("ForAnyValue:StringEquals", ["cost"], False),
        ("ForAnyValue:StringNotEquals", ["model"], True),
    ):
        assert hold({operator: {"aws:TagKeys": wanted}}, known) is expected


def test_of_no_value_all_are_and_none_is_among_those_wanted():
    assert hold({"ForAllValues:StringEquals": {"aws:TagKeys": "model"}}, {})
    assert not hold({"ForAnyValue:StringEquals": {"aws:TagKeys": "model"}}, {})


def test_every_key_of_every_operator_must_hold():
    wanted = {"StringEquals": {KEY: "1", "aws:PrincipalArn": "x"}, "Bool": {"aws:SecureTransport": "true"}}
    known = context(**{KEY: "1", "aws:PrincipalArn": "x", "aws:SecureTransport": "true"})
    assert hold(wanted, known)
    for key in known:
        assert not hold(wanted, {name: value for name, value in known.items() if name != key})
