"""Stateful things are retained: where the environment protects them, Terraform refuses to destroy them."""

from typing import Any


def retained(*, protected: bool) -> dict[str, Any]:
    """The lifecycle argument of a stateful resource, if it is protected."""
    return {"lifecycle": {"prevent_destroy": True}} if protected else {}
