"""What speaks against approving a version without a person. Nothing here asks AWS anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.governor.spec import AutoApproval


@dataclass(frozen=True)
class Registered:
    """A version as it was registered.

    Attributes:
        number: Its number.
        started_by: What started its run.
        value: Its metric on the test days.
        champion: The live model's on the same days; None if none was live, or it could not score them.
    """

    number: str
    started_by: str
    value: float
    champion: float | None


def objection(version: Registered, gates: AutoApproval, hold: str | None, approved: Sequence[str]) -> str | None:
    """The first gate that the version does not pass; None if it passes all.

    They are, in this order: a hold, what started it, its metric, the live model, the month's number.
    """
    return (
        (f"on hold: {hold}" if hold is not None else None)
        or _started(version, gates)
        or _below(version, gates)
        or _not_better(version, gates)
        or _used_up(approved, gates)
    )


def praise(version: Registered, gates: AutoApproval) -> str:
    """Why a version that passes is approved."""
    limit = "" if gates.limit is None else f" ({_bound(gates)} {gates.limit:g} asked)"
    margin = f", against the live model's {version.champion:.4f} ({gates.champion_margin:g} better asked)"
    return f"{gates.metric} {version.value:.4f}{limit}{margin}; started by {version.started_by}"


def _started(version: Registered, gates: AutoApproval) -> str | None:
    if version.started_by in gates.started_by:
        return None
    return f"started by {version.started_by}; without a person only what {' or '.join(gates.started_by)} started"


def _below(version: Registered, gates: AutoApproval) -> str | None:
    if gates.limit is None or _ahead(version.value, gates.limit, gates) >= 0:
        return None
    return f"{gates.metric} is {version.value:.4f}, {_bound(gates)} {gates.limit:g} needed"


def _not_better(version: Registered, gates: AutoApproval) -> str | None:
    if version.champion is None:
        return "there was no live model to compare it with"
    if _ahead(version.value, version.champion, gates) >= gates.champion_margin:
        return None
    live = f"the live model's {version.champion:.4f}"
    return f"{gates.metric} {version.value:.4f} does not beat {live} by {gates.champion_margin:g}"


def _used_up(approved: Sequence[str], gates: AutoApproval) -> str | None:
    if len(approved) < gates.max_a_month:
        return None
    return f"{len(approved)} approved without a person this month already, {gates.max_a_month} allowed"


def _ahead(value: float, other: float, gates: AutoApproval) -> float:
    """By how much the first is better; as much as digits mean something, so that 0.72 beats 0.71 by 0.01."""
    return round(value - other if gates.higher_is_better else other - value, 9)


def _bound(gates: AutoApproval) -> str:
    return "at least" if gates.higher_is_better else "at most"
