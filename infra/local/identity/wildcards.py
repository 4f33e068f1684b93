"""IAM's wildcards: `*` for any text, `?` for one character; in ARNs a segment at a time.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

import re
from functools import lru_cache
from typing import Final

SEGMENTS: Final = 6
"""Of an ARN: arn, partition, service, region, account, resource; the last may hold colons of its own."""


def matches(pattern: str, text: str) -> bool:
    """Whether `text` is one that `pattern` stands for."""
    return _expression(pattern).fullmatch(text) is not None


def matches_action(pattern: str, action: str) -> bool:
    """Whether an action is one that `pattern` stands for, in whatever case."""
    return _action_expression(pattern).fullmatch(action) is not None


def matches_arn(pattern: str, arn: str) -> bool:
    """Whether `arn` is one that `pattern` stands for: no wildcard reaches beyond its segment.

    Segments that are left out at the end are any, as in `arn:aws:sqs:*`; `*` alone is any ARN, and what is none.
    """
    return pattern == "*" or _arn_expression(pattern).fullmatch(arn) is not None


@lru_cache(maxsize=4096)
def _arn_expression(pattern: str) -> re.Pattern[str]:
    segments = pattern.split(":", SEGMENTS - 1)
    *first, last = segments + ["*"] * (SEGMENTS - len(segments))
    return re.compile(":".join([*(_regex(one, r"[^:]") for one in first), _regex(last, ".")]), re.DOTALL)


@lru_cache(maxsize=4096)
def _action_expression(pattern: str) -> re.Pattern[str]:
    return re.compile(_regex(pattern, "."), re.IGNORECASE)


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(_regex(pattern, "."), re.DOTALL)


def _regex(pattern: str, character: str) -> str:
    parts = re.split(r"([*?])", pattern)
    return "".join(f"{character}*" if part == "*" else character if part == "?" else re.escape(part) for part in parts)
