"""What a request asks of its answer, by query or by SageMaker's custom attributes: `output=label&explanations=true`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from serving.core.errors import InputError
from serving.core.output import OUTPUTS, SCORE_AND_LABEL

OUTPUT: Final = "output"
EXPLANATIONS: Final = "explanations"
MAX_OPTIONS: Final = 100
_KEYS: Final = (OUTPUT, EXPLANATIONS)
_TRUTH: Final = {"true": True, "false": False}


MAX_EXPLAINED_ROWS: Final = 1000
"""TreeSHAP takes a millisecond or two a row: more would outlast the minute that SageMaker gives a request."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which output, and whether with each input's contribution to it."""

    output: str = SCORE_AND_LABEL
    explanations: bool = False


DEFAULT: Final = Options()


@lru_cache(maxsize=64)
def read_options(target: bytes, custom_attributes: bytes) -> Options:
    """The options of a request; the query goes before the custom attributes, which may hold others' keys too.

    Raises:
        InputError: an unknown key in the query, or a value that is none.
    """
    asked = pairs(target.partition(b"?")[2])
    for key in asked:
        if key not in _KEYS:
            raise InputError(f"the query has {key[:40]!r}: it takes {' and '.join(_KEYS)}")
    wanted = {key: value for key, value in pairs(custom_attributes).items() if key in _KEYS} | asked
    output, explanations = wanted.get(OUTPUT, SCORE_AND_LABEL), wanted.get(EXPLANATIONS, "false")
    if output not in OUTPUTS:
        raise InputError(f"{OUTPUT} is {output[:40]!r}: it must be one of {', '.join(OUTPUTS)}")
    if explanations not in _TRUTH:
        raise InputError(f"{EXPLANATIONS} is {explanations[:40]!r}: it must be true or false")
    return Options(output, _TRUTH[explanations])


def pairs(text: bytes) -> dict[str, str]:
    """The options in a query, or in custom attributes of its form.

    Raises:
        InputError: there are too many.
    """
    if text.count(b"&") >= MAX_OPTIONS:
        raise InputError(f"the query or the custom attributes have more than {MAX_OPTIONS} options")
    return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True))
