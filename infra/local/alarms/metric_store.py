"""Metric data by series and time, for alarms: moto keeps one list of everything."""

import bisect
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

SeriesKey = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, metric name, dimensions."""

STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True, order=True)
class Datum:
    """One published value, or a set of values of which only the statistics are known."""

    timestamp: float
    count: float
    total: float
    minimum: float
    maximum: float
    unit: str | None = None


@dataclass(frozen=True)
class MetricStat:
    """A statistic of a series, of the values in one unit if that is given."""

    series: SeriesKey
    statistic: str
    unit: str | None = None


class MetricStore:
    """Every published value, sorted by time within its series."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, list[Datum]] = defaultdict(list)

    @property
    def series(self) -> list[SeriesKey]:
        """Every series that has ever had a value."""
        return list(self._series)

    def add(self, published: Any) -> SeriesKey:  # noqa: ANN401 - moto's MetricDatum or MetricAggregatedDatum
        """Keep one of moto's data; returns its series."""
        dimensions = frozenset((dimension.name, dimension.value) for dimension in published.dimensions)
        key = (published.namespace, published.name, dimensions)
        bisect.insort(self._series[key], _datum(published))
        return key

    def points(self, stat: MetricStat, period_seconds: int, periods: range) -> dict[int, float]:
        """The statistic of every period that has data; periods are numbered from the epoch."""
        series = self._series.get(stat.series, [])
        start = bisect.bisect_left(series, float(periods.start * period_seconds), key=_timestamp)
        stop = bisect.bisect_left(series, float(periods.stop * period_seconds), key=_timestamp)
        grouped: dict[int, list[Datum]] = defaultdict(list)
        for datum in series[start:stop]:
            if stat.unit is None or datum.unit == stat.unit:
                grouped[int(datum.timestamp // period_seconds)].append(datum)
        values = {period: statistic_of(stat.statistic, data) for period, data in grouped.items()}
        return {period: value for period, value in values.items() if value is not None}

    def latest(self, key: SeriesKey) -> float | None:
        """When the newest datum of a series is from, in seconds from the epoch."""
        series = self._series.get(key)
        return series[-1].timestamp if series else None


def statistic_of(statistic: str, data: Sequence[Datum]) -> float | None:
    """A statistic of the values of one period; None if it has none."""
    count, total = sum(datum.count for datum in data), sum(datum.total for datum in data)
    match statistic:
        case "SampleCount":
            return count
        case "Sum":
            return total
        case "Average":
            return total / count if count else None
        case "Minimum":
            return min(datum.minimum for datum in data)
        case "Maximum":
            return max(datum.maximum for datum in data)
    return _percentile(float(statistic[1:]), data)


def _percentile(percent: float, data: Sequence[Datum]) -> float | None:
    """By linear interpolation; none for statistic sets whose values are unknown."""
    if any(datum.minimum != datum.maximum for datum in data):
        return None
    values = sorted(datum.minimum for datum in data for _ in range(round(datum.count)))
    if not values:
        return None
    position = percent / 100 * (len(values) - 1)
    below, above = values[math.floor(position)], values[math.ceil(position)]
    return below + (above - below) * (position - math.floor(position))


def _datum(published: Any) -> Datum:  # noqa: ANN401
    moment = published.timestamp
    timestamp = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if hasattr(published, "value"):
        value = published.value
        return Datum(timestamp, 1.0, value, value, value, published.unit)
    return Datum(timestamp, published.sample_count, published.sum, published.min, published.max, published.unit)


def _timestamp(datum: Datum) -> float:
    return datum.timestamp
