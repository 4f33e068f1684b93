"""What SageMaker's List operations have in common: filters, an order, pages."""

from collections.abc import Iterable
from datetime import UTC, datetime

from infra.local.validation import Json, ValidationException

DEFAULT_PAGE = 10


def page(summaries: Iterable[Json], request: Json, *, name: str, status: str) -> tuple[list[Json], str | None]:
    """The summaries that `request` asks for, and the token for the next page (None at the end).

    Args:
        summaries: all there are; each has `CreationTime`, `LastModifiedTime` and the members named next.
        request: a List operation's filters, order and page.
        name: the summaries' member that holds the name.
        status: the summaries' member that holds the status.

    Raises:
        ValidationException: the token is none that was given out.
    """
    order = {"Name": name, "Status": status}.get(request.get("SortBy", "CreationTime"), "CreationTime")
    wanted = [summary for summary in summaries if _wanted(summary, request, name, status)]
    wanted.sort(key=lambda summary: summary[order], reverse=request.get("SortOrder", "Descending") == "Descending")
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ValidationException(f"Invalid NextToken: {token}")
    start = int(token)
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    return wanted[start:end], str(end) if end < len(wanted) else None


def _wanted(summary: Json, request: Json, name: str, status: str) -> bool:
    return (
        request.get("NameContains", "").lower() in summary[name].lower()
        and request.get("StatusEquals", summary[status]) == summary[status]
        and all(_within(summary[f"{which}Time"], request, which) for which in ("Creation", "LastModified"))
    )


def _within(moment: datetime, request: Json, which: str) -> bool:
    after, before = request.get(f"{which}TimeAfter"), request.get(f"{which}TimeBefore")
    return (after is None or moment > _aware(after)) and (before is None or moment < _aware(before))


def _aware(moment: datetime) -> datetime:
    """Moto's parser gives UTC without saying so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
