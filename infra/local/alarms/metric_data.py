"""GetMetricData with expressions: searches and metric math, as dashboards ask; moto answers those with nothing.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from infra.local.alarms.metric_math import Expression
from infra.local.alarms.metric_store import MetricStat, MetricStore, SeriesKey

_SEARCH: Final = re.compile(
    r"SEARCH\('\s*\{(?P<schema>[^}]+)\}(?P<terms>[^']*)',\s*'(?P<statistic>[\w.]+)'(?:,\s*(?P<period>\d+))?\)"
)
_TERM: Final = re.compile(r'(?P<of>\w+)=(?:"(?P<whole>[^"]*)"|(?P<word>[A-Za-z0-9]+))')
NAME: Final = "MetricName"


@dataclass(frozen=True)
class Search:
    """Every series with these dimensions in which all terms are found: whole, or as a word."""

    namespace: str
    dimensions: frozenset[str]
    terms: tuple[tuple[str, str | None, str | None], ...]
    """What each is about, and what that must be: the whole, or one of its words."""
    statistic: str
    period: int

    @classmethod
    def parse(cls, text: str, period: int) -> "Search":
        """Parse a search expression; `period` counts unless it says its own.

        Raises:
            ValueError: it is more than is understood here.
        """
        found = _SEARCH.fullmatch(text.strip())
        terms = _TERM.findall(found["terms"]) if found else []
        if found is None or _TERM.sub("", found["terms"]).strip():
            raise ValueError(
                f'{text!r}: the local cloud searches {{namespace,dimensions}} and terms such as A=b, A="b"'
            )
        namespace, *dimensions = (part.strip().strip('"') for part in found["schema"].split(","))
        own = int(found["period"] or period)
        parsed = tuple((of, whole or None, word or None) for of, whole, word in terms)
        return cls(namespace, frozenset(dimensions), parsed, found["statistic"], own)

    def finds(self, key: SeriesKey) -> bool:
        """Whether a series is one of those looked for."""
        namespace, name, dimensions = key
        values = {NAME: name, **dict(dimensions)}
        if namespace != self.namespace or values.keys() - {NAME} != self.dimensions:
            return False
        return all(_matches(values.get(of, ""), whole, word) for of, whole, word in self.terms)


@dataclass(frozen=True)
class Line:
    """One line of an answer: its values by the begin of their period, in seconds from the epoch."""

    label: str
    values: Mapping[int, float]


@dataclass(frozen=True)
class MetricData:
    """Queries over what was published from `start` to before `end`."""

    store: MetricStore
    queries: Sequence[Mapping[str, Any]]
    start: datetime
    end: datetime

    def results(self, *, newest_first: bool) -> Iterator[dict[str, Any]]:
        """The lines that are asked for, as moto tells them.

        Raises:
            ValueError: more is asked than the local cloud can evaluate.
        """
        for query in self.queries:
            for line in self._lines(query) if query.get("ReturnData", True) else ():
                moments = sorted(line.values, reverse=newest_first)
                yield {
                    "id": query["Id"],
                    "label": line.label,
                    "values": [line.values[moment] for moment in moments],
                    "timestamps": [datetime.fromtimestamp(moment, UTC) for moment in moments],
                    "status_code": "Complete",
                }

    def _lines(self, query: Mapping[str, Any]) -> list[Line]:
        if stat := query.get("MetricStat"):
            metric = stat["Metric"]
            dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", []))
            key = (metric["Namespace"], metric["MetricName"], dimensions)
            values = self._values(MetricStat(key, stat["Stat"], stat.get("Unit")), int(stat["Period"]))
            return [Line(query.get("Label") or metric["MetricName"], values)]
        text = str(query["Expression"])
        if text.lstrip().startswith("SEARCH("):
            return self._found(Search.parse(text, int(query.get("Period") or 300)), query.get("Label", ""))
        return self._computed(Expression.parse(text), query.get("Label", ""))

    def _found(self, search: Search, label: str) -> list[Line]:
        keys = sorted((key for key in self.store.series if search.finds(key)), key=lambda key: sorted(key[2]))
        lines = []
        for key in keys:
            name = " ".join([*([label] if label else []), *(value for _, value in sorted(key[2]))])
            lines.append(Line(name, self._values(MetricStat(key, search.statistic), search.period)))
        return [line for line in lines if line.values]

    def _computed(self, expression: Expression, label: str) -> list[Line]:
        """Of each line of the one operand that has several, if any has."""
        queries = {query["Id"]: query for query in self.queries}
        if unknown := sorted(expression.names - queries.keys()):
            raise ValueError(f"{expression.text!r} speaks of {', '.join(unknown)}, which is not asked for")
        operands = {name: self._lines(queries[name]) for name in expression.names}
        several = [name for name, lines in operands.items() if len(lines) != 1]
        if len(several) > 1:
            raise ValueError(f"{expression.text!r}: the local cloud computes with one search at a time")
        rows = operands[several[0]] if several else [next(iter(operands.values()))[0]] if operands else []
        return [self._of(expression, operands | ({several[0]: [row]} if several else {}), row, label) for row in rows]

    def _of(self, expression: Expression, operands: Mapping[str, list[Line]], row: Line, label: str) -> Line:
        moments = sorted({moment for (line,) in operands.values() for moment in line.values})
        series = {name: [line.values.get(moment) for moment in moments] for name, (line,) in operands.items()}
        computed = zip(moments, expression.evaluate(series, len(moments)), strict=True)
        return Line(label or row.label, {moment: value for moment, value in computed if value is not None})

    def _values(self, stat: MetricStat, period: int) -> dict[int, float]:
        first, last = int(self.start.timestamp()) // period, -(-int(self.end.timestamp()) // period)
        found = self.store.points(stat, period, range(first, last))
        return {number * period: value for number, value in found.items()}


def _matches(value: str, whole: str | None, word: str | None) -> bool:
    if whole is not None:
        return value == whole
    return word is not None and word.lower() in re.findall(r"[a-z0-9]+", value.lower())
