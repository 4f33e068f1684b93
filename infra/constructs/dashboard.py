"""A dashboard and what can stand on it: pictures of metrics, the states of alarms, tables of log lines."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from infra.constructs.metrics import Line, Metric, Search, Times
from infra.provider import Construct, aws

COLUMNS: Final = 24
HEIGHT: Final = 6
HOUR: Final = 3_600
DAY: Final = 86_400
LAST_WEEK: Final = "-P7D"

Properties = dict[str, Any]


class Widget(Protocol):
    """One thing on a dashboard."""

    @property
    def kind(self) -> str:
        """What CloudWatch calls such a thing."""

    @property
    def width(self) -> int:
        """Columns, of 24."""

    def properties(self, region: str) -> Properties:
        """As CloudWatch takes them.

        Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
        """


@dataclass(frozen=True)
class Picture:
    """Metrics over time: a title that says the unit, a period in seconds, and the lines."""

    title: str
    period: int
    lines: Sequence[Line]
    region: str | None = None
    """Where the metrics are, if not where the dashboard is."""
    kind: str = "metric"
    width: int = 12

    def properties(self, region: str) -> Properties:
        """As CloudWatch takes them."""
        return {
            "title": self.title,
            "region": self.region or region,
            "view": "timeSeries",
            "period": self.period,
            "metrics": [row for place, line in enumerate(self.lines) for row in _rows(line, place, self.period)],
        }


@dataclass(frozen=True)
class AlarmStates:
    """The states of alarms, those first that are raised; at most 100."""

    title: str
    arns: Sequence[str]
    kind: str = "alarm"
    width: int = COLUMNS

    def properties(self, region: str) -> Properties:
        """As CloudWatch takes them."""
        del region
        return {"title": self.title, "alarms": list(self.arns), "sortBy": "stateUpdatedTimestamp"}


@dataclass(frozen=True)
class LogTable:
    """What a query finds in a log group, as a table."""

    title: str
    log_group: str
    query: str
    kind: str = "log"
    width: int = COLUMNS

    def properties(self, region: str) -> Properties:
        """As CloudWatch takes them."""
        query = f"SOURCE '{self.log_group}' | {self.query}"
        return {"title": self.title, "region": region, "view": "table", "query": query}


class Dashboard(Construct):
    """Widgets in rows, the last week unless somebody asks for another time."""

    def __init__(self, scope: Construct, id_: str, *, name: str, region: str, widgets: Sequence[Widget]) -> None:
        super().__init__(scope, id_)
        body = {"start": LAST_WEEK, "widgets": list(_placed(widgets, region))}
        aws.CloudwatchDashboard(self, "dashboard", dashboard_name=name, dashboard_body=json.dumps(body))


def _placed(widgets: Sequence[Widget], region: str) -> Iterator[Properties]:
    """From left to right; what no longer fits into a row begins the next."""
    x = y = 0
    for widget in widgets:
        if x + widget.width > COLUMNS:
            x, y = 0, y + HEIGHT
        position = {"x": x, "y": y, "width": widget.width, "height": HEIGHT}
        yield {"type": widget.kind, **position, "properties": widget.properties(region)}
        x += widget.width


def _rows(line: Line, place: int, period: int) -> Iterator[list[Any]]:
    if isinstance(line, Times):
        yield _row(line.of, period, {"id": f"m{place}", "visible": False})
        yield [{"expression": f"m{place} * {line.factor:.10g}", "id": f"e{place}", "label": line.label}]
    else:
        yield _row(line, period, {})


def _row(line: Metric | Search, period: int, options: Properties) -> list[Any]:
    if isinstance(line, Search):
        return [{"expression": line.expression(period), **options}]
    flat = [part for dimension in line.dimensions for part in dimension]
    return [line.namespace, line.name, *flat, {"stat": line.statistic, **options}]
