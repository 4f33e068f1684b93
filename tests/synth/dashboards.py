"""What a stack's dashboard shows, read from its JSON."""

import json
import re

SEARCH = re.compile(
    r"""SEARCH\('\{"(?P<namespace>[^"]+)",(?P<dimensions>[\w,]+)\} MetricName="(?P<name>\w+)" (?P<term>[^']*)', """
    r"""'(?P<statistic>\w+)', (?P<period>\d+)\)"""
)


def widgets(stack):
    """Every widget of the stack's dashboards."""
    for dashboard in stack.all("aws_cloudwatch_dashboard").values():
        yield from json.loads(dashboard["dashboard_body"])["widgets"]


def metric_rows(stack):
    for widget in widgets(stack):
        yield from widget["properties"].get("metrics", [])


def shown(stack):
    """Every metric that is named with its dimensions, as (namespace, name, dimensions, statistic)."""
    for row in metric_rows(stack):
        if len(row) > 1:
            namespace, name, *flat, options = row
            yield namespace, name, dict(zip(flat[::2], flat[1::2], strict=True)), options["stat"]


def searched(stack):
    """Every search, as its parts."""
    for row in metric_rows(stack):
        if row[0] and isinstance(row[0], dict) and "SEARCH" in row[0]["expression"]:
            yield SEARCH.fullmatch(row[0]["expression"]).groupdict()
