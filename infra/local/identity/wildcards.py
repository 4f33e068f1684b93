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


def matches_arn(pattern: str, arn: str) -> bool:
    """Whether `arn` is one that `pattern` stands for: no wildcard reaches beyond its segment.

    Segments that are left out at the end are any, as in `arn:aws:sqs:*`.
    """
    if pattern == "*":
        return True
    asked, given = pattern.split(":", SEGMENTS - 1), arn.split(":", SEGMENTS - 1)
    if len(given) < SEGMENTS:
        return matches(pattern, arn)
    asked += ["*"] * (SEGMENTS - len(asked))
    return all(matches(one, other) for one, other in zip(asked, given, strict=True))


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.DOTALL)
