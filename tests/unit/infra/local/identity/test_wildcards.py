"""IAM's wildcards, held against another way of matching them."""

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.local.identity.wildcards import matches, matches_arn

texts = st.text("ab*?.\n[]", max_size=8)


@cache
def stands_for(pattern, text):
    """By the definition, a character at a time."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return stands_for(pattern[1:], text) or (bool(text) and stands_for(pattern, text[1:]))
    return bool(text) and pattern[0] in {"?", text[0]} and stands_for(pattern[1:], text[1:])


@given(texts, texts)
@example("a*b", "a\nb")
@example("a.b", "aab")
def test_a_pattern_matches_by_its_definition(pattern, text):
    assert matches(pattern, text) == stands_for(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", "arn:aws:s3:::data/a", True),
        ("arn:aws:s3:::data/*", "arn:aws:s3:::data/a/b:c", True),
        ("arn:aws:s3:::data", "arn:aws:s3:::data/a", False),
        ("arn:aws:sqs:*", "arn:aws:sqs:eu-west-1:1:queue", True),
        ("arn:aws:*:role/x", "arn:aws:iam::1:role/x", False),
        ("arn:aws:logs:eu-west-1:1:log-group:/aws/x:*", "arn:aws:logs:eu-west-1:1:log-group:/aws/x:log-stream:y", True),
        ("arn:aws:iam::1:role/?", "arn:aws:iam::1:role/x", True),
        ("arn:aws:s3:::data/*", "*", False),
    ],
)
def test_a_wildcard_of_an_arn_stays_in_its_segment(pattern, arn, expected):
    assert matches_arn(pattern, arn) is expected
