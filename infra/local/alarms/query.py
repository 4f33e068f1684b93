"""What a metric alarm watches, read from moto's alarm: one metric's statistic, or metric math over several."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from infra.local.alarms.metric_math import Expression
from infra.local.alarms.metric_store import PERCENTILE, STATISTICS, MetricStat, MetricStore, SeriesKey
from infra.local.alarms.state import COMPARISONS, Missing, Threshold

LONGEST_RANGE_SECONDS = 7 * 86_400
SIMPLE_ID = "m1"


@dataclass(frozen=True)
class Query:
    """The values that an alarm compares with its threshold.

    Attributes:
        period_seconds: The length of a period.
        stats: The metrics, by id.
        expressions: What is computed from them, by id; each comes after what it speaks of.
        returned: The id whose values count.
    """

    period_seconds: int
    stats: Mapping[str, MetricStat]
    expressions: Mapping[str, Expression]
    returned: str

    @property
    def series(self) -> frozenset[SeriesKey]:
        """The metrics whose data can move the alarm."""
        return frozenset(stat.series for stat in self.stats.values())

    @property
    def grows(self) -> bool:
        """Whether a value grows while its period lasts, so that a low one means nothing yet."""
        return not self.expressions and self.stats[self.returned].statistic in ("Sum", "SampleCount")

    def values(self, store: MetricStore, periods: range) -> "Values":
        """The value of every period that has one."""
        found = {id_: store.points(stat, self.period_seconds, periods) for id_, stat in self.stats.items()}
        series = {id_: [points.get(period) for period in periods] for id_, points in found.items()}
        for id_, expression in self.expressions.items():
            series[id_] = expression.evaluate(series, len(periods))
        values = zip(periods, series[self.returned], strict=True)
        reported = frozenset(period for points in found.values() for period in points)
        return Values({period: value for period, value in values if value is not None}, reported)


@dataclass(frozen=True)
class Values:
    """Values by period number, and the periods in which any metric had data: metric math may fill the others."""

    by_period: Mapping[int, float]
    reported: frozenset[int]


def query_of(alarm: Any) -> Query:  # noqa: ANN401 - moto's Alarm
    """What `alarm` watches.

    Raises:
        ValueError: more than the local cloud can evaluate, or a contradiction; the message says which.
    """
    if not alarm.metric_data_queries:
        series = _series(alarm.namespace, alarm.metric_name, alarm.dimensions)
        stat = MetricStat(series, _statistic(alarm.statistic or alarm.extended_statistic), alarm.unit)
        return Query(_period(alarm.period), {SIMPLE_ID: stat}, {}, SIMPLE_ID)
    with_stat = [query for query in alarm.metric_data_queries if query.metric_stat]
    stats = {query.id: _metric_stat(query.metric_stat) for query in with_stat}
    expressions = {
        query.id: Expression.parse(query.expression) for query in alarm.metric_data_queries if query.expression
    }
    periods = {_period(query.metric_stat.period) for query in with_stat}
    returned = [query.id for query in alarm.metric_data_queries if query.return_data in (None, True, "true")]
    if len(periods) != 1 or len(returned) != 1:
        raise ValueError("all metrics of an alarm must have the same period, and exactly one of them return data")
    return Query(periods.pop(), stats, _in_order(expressions, set(stats)), returned[0])


def threshold_of(alarm: Any, query: Query) -> Threshold:  # noqa: ANN401 - moto's Alarm
    """When `alarm` goes off.

    Raises:
        ValueError: it compares in a way that the local cloud cannot, or looks too far back.
    """
    if alarm.comparison_operator not in COMPARISONS:
        raise ValueError(f"the local cloud cannot compare with {alarm.comparison_operator} (no anomaly detection)")
    if alarm.evaluate_low_sample_count_percentile == "ignore":
        raise ValueError("the local cloud does not support EvaluateLowSampleCountPercentile=ignore")
    evaluation_periods = int(alarm.evaluation_periods)
    datapoints = int(alarm.datapoints_to_alarm or evaluation_periods)
    if not 1 <= datapoints <= evaluation_periods:
        raise ValueError("DatapointsToAlarm must be between 1 and EvaluationPeriods")
    if evaluation_periods * query.period_seconds > LONGEST_RANGE_SECONDS:
        raise ValueError(f"EvaluationPeriods * Period must not exceed {LONGEST_RANGE_SECONDS} seconds")
    missing: Any = alarm.treat_missing_data or "missing"
    if missing not in get_args(Missing):
        raise ValueError(f"TreatMissingData must be one of {', '.join(get_args(Missing))}, not {missing}")
    return Threshold(alarm.comparison_operator, float(alarm.threshold), evaluation_periods, datapoints, missing)


def _in_order(expressions: Mapping[str, Expression], known: set[str]) -> dict[str, Expression]:
    ordered: dict[str, Expression] = {}
    while len(ordered) < len(expressions):
        ready = {i: e for i, e in expressions.items() if i not in ordered and e.names <= known | ordered.keys()}
        if not ready:
            unknown = {name for e in expressions.values() for name in e.names} - known - ordered.keys()
            raise ValueError(f"an expression speaks of {', '.join(sorted(unknown))}, which the alarm does not define")
        ordered |= ready
    return ordered


def _metric_stat(given: Any) -> MetricStat:  # noqa: ANN401 - moto's MetricStat
    metric = given.metric
    return MetricStat(
        _series(metric.namespace, metric.metric_name, metric.dimensions), _statistic(given.stat), given.unit
    )


def _series(namespace: str, name: str, dimensions: Any) -> SeriesKey:  # noqa: ANN401 - moto's Dimensions
    return namespace, name, frozenset((dimension.name, dimension.value) for dimension in dimensions)


def _statistic(name: str | None) -> str:
    if name not in STATISTICS and not PERCENTILE.fullmatch(name or ""):
        raise ValueError(
            f"the local cloud cannot compute {name}; it knows {', '.join(STATISTICS)} and percentiles (p99)"
        )
    return str(name)


def _period(given: Any) -> int:  # noqa: ANN401 - moto keeps what the request gave
    period = int(given or 0)
    if period not in (10, 20, 30) and (period < 60 or period % 60):  # noqa: PLR2004 - AWS's own numbers
        raise ValueError(f"Period must be 10, 20, 30 or a multiple of 60 seconds, not {period}")
    return period
