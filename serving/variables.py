"""Reading environment variables: whole numbers, and yes or no."""

from collections.abc import Mapping
from typing import Final

_TRUTH: Final = {"true": True, "false": False}


class SettingsError(ValueError):
    """An environment variable that cannot be meant; the message says which and why."""


def whole_number(name: str, text: str, rule: str, *, low: int, high: int) -> int:
    """The number that a variable holds.

    Raises:
        SettingsError: it is none from `low` to `high`; the message ends with the rule.
    """
    if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
        raise SettingsError(f"{name} is {text!r:.40}: it must be {rule}")
    return int(text)


def yes_or_no(name: str, environment: Mapping[str, str]) -> bool:
    """Whether a variable is `true`; `false` unless set.

    Raises:
        SettingsError: it is neither `true` nor `false`.
    """
    text = environment.get(name, "false")
    if text.lower() not in _TRUTH:
        raise SettingsError(f"{name} is {text!r:.40}: it must be true or false")
    return _TRUTH[text.lower()]
