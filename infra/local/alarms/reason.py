"""Why an alarm is in its state, in AWS's words: StateReason for people, StateReasonData for machines."""

import json
from datetime import UTC, datetime
from typing import Any

from infra.local.alarms.query import Query
from infra.local.alarms.state import Threshold, Verdict

COMPARISON_WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
MISSING_WORDS = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def stamp(moment: datetime) -> str:
    """A time as CloudWatch writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"


def reason(threshold: Threshold, verdict: Verdict, period_seconds: int) -> str:
    """Why the alarm is in the state that `verdict` says."""
    if verdict.state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_count(verdict.filled, 'datapoint')} {_were(verdict.filled)} unknown."
    made_up = f"{_count(verdict.filled, 'missing datapoint')} {_were(verdict.filled)} treated as"
    treated = f"{made_up} [{MISSING_WORDS.get(threshold.missing, '')}]"
    if not verdict.points:
        periods = _count(threshold.evaluation_periods, "period")
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    prefix = f"{treated} and " if verdict.filled and threshold.missing in MISSING_WORDS else ""
    return f"Threshold Crossed: {prefix}{_crossing(threshold, verdict, period_seconds)}."


def _crossing(threshold: Threshold, verdict: Verdict, period_seconds: int) -> str:
    breaching = [point for point in verdict.points if threshold.breached(point[1])]
    others = [point for point in verdict.points if not threshold.breached(point[1])]
    shown, negation = (breaching, "") if (verdict.state == "ALARM" and breaching) or not others else (others, "not ")
    values = ", ".join(f"{value} ({_moment(period, period_seconds):%d/%m/%y %H:%M:%S})" for period, value in shown)
    if verdict.state == "ALARM":
        needed, change = threshold.datapoints_to_alarm, "OK -> ALARM"
    else:
        needed, change = threshold.evaluation_periods - threshold.datapoints_to_alarm + 1, "ALARM -> OK"
    comparison = f"{_were(len(shown))} {negation}{COMPARISON_WORDS[threshold.comparison]} the threshold"
    return (
        f"{len(shown)} out of the last {_count(len(verdict.points), 'datapoint', always_plural=True)} [{values}] "
        f"{comparison} ({threshold.bound}) (minimum {_count(needed, 'datapoint')} for {change} transition)"
    )


def reason_data(query: Query, threshold: Threshold, verdict: Verdict, now: datetime) -> str:
    """The same for machines."""
    points = [{"timestamp": stamp(_moment(p, query.period_seconds)), "value": v} for p, v in verdict.points]
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if points:
        data["startDate"] = points[0]["timestamp"]
    if not query.expressions:
        stat = query.stats[query.returned]
        data |= {"statistic": stat.statistic} | ({"unit": stat.unit} if stat.unit else {})
    recent = [value for _, value in verdict.points]
    data |= {"period": query.period_seconds, "recentDatapoints": recent, "threshold": threshold.bound}
    return json.dumps(data | {"evaluatedDatapoints": list(reversed(points))})


def _moment(period: int, period_seconds: int) -> datetime:
    return datetime.fromtimestamp(period * period_seconds, UTC)


def _count(number: int, noun: str, *, always_plural: bool = False) -> str:
    return f"{number} {noun}{'s' if number != 1 or always_plural else ''}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
