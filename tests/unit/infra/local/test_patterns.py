import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.events.patterns import InvalidPatternError, check, matches

EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "resources": ["arn:aws:s3:::data"],
    "detail": {
        "bucket": {"name": "Data-1"},
        "object": {"key": "flights/2013-04.parquet", "size": 1024, "tags": ["a", "b"]},
        "ip": "10.0.0.7",
        "parts": [{"n": 1}, {"n": 2}],
        "nothing": None,
        "flag": True,
    },
}


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"]},
        {"source": ["aws.ec2", "aws.s3"], "detail-type": ["Object Created"]},
        {"source": [{"prefix": "aws."}]},
        {"detail": {"object": {"key": [{"suffix": ".parquet"}]}}},
        {"detail": {"bucket": {"name": [{"equals-ignore-case": "data-1"}]}}},
        {"detail": {"bucket": {"name": [{"prefix": {"equals-ignore-case": "dAtA"}}]}}},
        {"detail": {"bucket": {"name": [{"suffix": {"equals-ignore-case": "A-1"}}]}}},
        {"detail": {"object": {"key": [{"wildcard": "flights/*.parquet"}]}}},
        {"detail": {"object": {"size": [{"numeric": [">", 0, "<=", 1024]}]}}},
        {"detail": {"object": {"size": [{"numeric": ["=", 1024.0]}]}}},
        {"detail": {"object": {"tags": ["b"]}}},
        {"detail": {"object": {"tags": [{"anything-but": ["a"]}]}}},
        {"detail": {"object": {"key": [{"anything-but": {"prefix": "logs/"}}]}}},
        {"detail": {"object": {"key": [{"anything-but": {"prefix": ["logs/", "tmp/"]}}]}}},
        {"detail": {"object": {"key": [{"anything-but": {"wildcard": "*.csv"}}]}}},
        {"detail": {"object": {"key": [{"exists": True}]}}},
        {"detail": {"object": {"version-id": [{"exists": False}]}}},
        {"detail": {"owner": {"name": [{"exists": False}]}}},
        {"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}},
        {"detail": {"parts": {"n": [2]}}},
        {"detail": {"nothing": [None]}},
        {"detail": {"flag": [True]}},
        {"$or": [{"source": ["aws.ec2"]}, {"detail": {"object": {"size": [1024]}}}]},
        {"source": ["aws.s3"], "detail": {"$or": [{"ip": ["x"]}, {"flag": [True]}]}},
    ],
)
def test_a_pattern_that_aws_would_match_matches(pattern):
    check(pattern)
    assert matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"]},
        {"source": ["aws.s3"], "detail-type": ["Object Deleted"]},
        {"source": [{"prefix": "AWS."}]},
        {"detail": {"object": {"size": ["1024"]}}},
        {"detail": {"object": {"size": [{"numeric": [">", 1024]}]}}},
        {"detail": {"object": {"key": [{"numeric": [">", 0]}]}}},
        {"detail": {"object": {"key": [{"anything-but": {"suffix": ".parquet"}}]}}},
        {"detail": {"object": {"size": [{"anything-but": [1024]}]}}},
        {"detail": {"object": {"version-id": [{"anything-but": ["x"]}]}}},
        {"detail": {"object": {"key": [{"exists": False}]}}},
        {"detail": {"object": [{"exists": True}]}},
        {"detail": {"object": {"key": [{"wildcard": "flights/*.csv"}]}}},
        {"detail": {"ip": [{"cidr": "10.0.1.0/24"}]}},
        {"detail": {"flag": [1]}},
        {"detail": {"parts": {"n": [3]}}},
        {"detail": {"source": ["aws.s3"]}},
        {"$or": [{"source": ["aws.ec2"]}, {"detail": {"flag": [False]}}]},
    ],
)
def test_a_pattern_that_aws_would_not_match_does_not(pattern):
    check(pattern)
    assert not matches(pattern, EVENT)


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ({}, "at least one key"),
        ([], "JSON object"),
        ({"source": "aws.s3"}, '"source" must be an object or a non-empty array'),
        ({"source": []}, '"source" must be an object or a non-empty array'),
        ({"source": [{"prefxi": "a"}]}, 'unrecognized match type "prefxi"'),
        ({"source": [{"prefix": "a", "suffix": "b"}]}, "exactly one key"),
        ({"source": [{"prefix": 1}]}, '"prefix" takes a string'),
        ({"source": [{"exists": "yes"}]}, '"exists" takes true or false'),
        ({"source": [{"numeric": [">"]}]}, '"numeric" takes pairs'),
        ({"source": [{"numeric": ["~", 1]}]}, '"numeric" takes pairs'),
        ({"source": [{"wildcard": "a**"}]}, "consecutive"),
        ({"source": [["a"]]}, "array cannot stand inside an array"),
        ({"source": [{"anything-but": {"numeric": [">", 1]}}]}, '"anything-but" does not take'),
        ({"detail": {"a": [{"cidr": 5}]}}, '"cidr" takes a string'),
    ],
)
def test_a_wrong_pattern_is_refused_with_the_rule(pattern, complaint):
    with pytest.raises(InvalidPatternError, match=complaint):
        check(pattern)


KEYS = st.text("abc-", min_size=1, max_size=3)
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab*\\", max_size=4)
EVENTS = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3),
    lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=3),
    max_leaves=8,
)


def pattern_of(event):
    """The pattern that asks for exactly what the event has."""
    return {key: pattern_of(value) if isinstance(value, dict) and value else [value] for key, value in event.items()}


@given(EVENTS)
def test_an_event_matches_the_pattern_made_of_its_own_values(event):
    leaves_only = json.loads(json.dumps(event, default=str))
    pattern = pattern_of(without_empty(leaves_only))
    assert matches(pattern, event)


def without_empty(event):
    kept = {key: without_empty(value) if isinstance(value, dict) else value for key, value in event.items()}
    return {key: value for key, value in kept.items() if value != {}}


@given(EVENTS, KEYS)
def test_exists_is_the_opposite_of_its_opposite(event, key):
    assert matches({key: [{"exists": True}]}, event) != matches({key: [{"exists": False}]}, event)


@given(st.text("ab*\\"), st.text("ab*\\"))
def test_a_wildcard_between_two_literals_is_a_prefix_and_a_suffix(prefix, suffix):
    literal = {"*": "\\*", "\\": "\\\\"}
    wildcard = "".join(literal.get(c, c) for c in prefix) + "*" + "".join(literal.get(c, c) for c in suffix)
    assert matches({"k": [{"wildcard": wildcard}]}, {"k": f"{prefix}in between\nthem{suffix}"})
    assert matches({"k": [{"wildcard": wildcard}]}, {"k": prefix + suffix})
    assert not matches({"k": [{"wildcard": wildcard}]}, {"k": f"x{prefix}{suffix}"}) or not prefix


@given(st.lists(st.integers(-5, 5), min_size=1), st.integers(-5, 5))
def test_anything_but_is_none_of_the_listed(refused, value):
    assert matches({"k": [{"anything-but": refused}]}, {"k": value}) == (value not in refused)
