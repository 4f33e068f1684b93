from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.constructs.metrics import of_every_endpoint, of_every_feature
from infra.local.alarms.metric_data import MetricData, Search
from infra.local.alarms.metric_store import MetricStore
from infra.naming import Names

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)
WORDS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True), min_size=1, max_size=4)


def key(namespace="AWS/SageMaker", name="Invocations", **dimensions):
    return namespace, name, frozenset(dimensions.items())


def store(**values):
    """Invocations of endpoints in the first minute, by name."""
    kept = MetricStore()
    for endpoint, invocations in values.items():
        named = {"EndpointName": endpoint, "VariantName": "main"}
        dimensions = [SimpleNamespace(name=name, value=value) for name, value in named.items()]
        datum = {"dimensions": dimensions, "value": invocations, "timestamp": START, "unit": None}
        kept.add(SimpleNamespace(namespace="AWS/SageMaker", name="Invocations", **datum))
    return kept


def lines(kept, *queries):
    results = MetricData(kept, queries, START, END).results(newest_first=False)
    return {line["label"]: line["values"] for line in results}


def search(names, period=60):
    return of_every_endpoint("AWS/SageMaker", "Invocations", "Sum", names).expression(period)


@given(WORDS, WORDS)
def test_a_search_finds_an_endpoint_that_has_every_word_of_the_environments_prefix(prefix, model):
    names = Names("-".join(prefix), "prod", "1", "us-east-1")
    found = Search.parse(search(names), 300)
    assert found.finds(key(EndpointName=names.model("-".join(model)).base, VariantName="main"))
    elsewhere = "-".join(word for word in [*prefix, "dev", *model] if word != "prod")
    assert not found.finds(key(EndpointName=elsewhere, VariantName="main"))


def test_a_search_minds_namespace_name_and_dimensions():
    found = Search.parse(search(Names("acme", "prod", "1", "us-east-1")), 300)
    endpoint = {"EndpointName": "acme-prod-churn", "VariantName": "main"}
    assert found.finds(key(**endpoint))
    assert not found.finds(key(namespace="AWS/Other", **endpoint))
    assert not found.finds(key(name="ModelLatency", **endpoint))
    assert not found.finds(key(EndpointName="acme-prod-churn"))
    assert not found.finds(key(**endpoint, ContainerName="model"))


def test_a_term_in_quotes_is_the_whole_value():
    found = Search.parse(of_every_feature("PopulationStabilityIndex", "acme-prod-churn").expression(60), 300)
    of_ours = {"namespace": "sagestack/monitoring", "name": "PopulationStabilityIndex", "Feature": "age"}
    assert found.finds(key(**of_ours, Endpoint="acme-prod-churn"))
    assert not found.finds(key(**of_ours, Endpoint="acme-prod-churn-b"))


def test_each_that_is_found_is_a_line_and_is_computed_with_by_itself():
    kept = store(**{"acme-prod-a": 6.0, "acme-prod-b": 12.0, "acme-dev-c": 5.0})
    found = {"Id": "m0", "Expression": search(Names("acme", "prod", "1", "us-east-1"))}
    assert lines(kept, found) == {"acme-prod-a main": [6.0], "acme-prod-b main": [12.0]}
    hidden = found | {"ReturnData": False}
    assert lines(kept, hidden, {"Id": "e0", "Expression": "m0 / 6"}) == {
        "acme-prod-a main": [1.0],
        "acme-prod-b main": [2.0],
    }


def test_one_metric_is_computed_with_where_it_has_values_and_labelled_as_asked():
    dimensions = [{"Name": "EndpointName", "Value": "a"}, {"Name": "VariantName", "Value": "main"}]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": dimensions}
    one = {"Id": "m0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    assert lines(store(a=6.0), one, {"Id": "e0", "Expression": "m0 * 2", "Label": "twice"}) == {
        "Invocations": [6.0],
        "twice": [12.0],
    }


@pytest.mark.parametrize("text", ["SEARCH('x', 'Sum', 60)", "SEARCH('{a,B} NOT C=d', 'Sum')", "m1 * 2", "SELECT 1"])
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(ValueError, match=r"local cloud|speaks of|not a metric math"):
        lines(store(), {"Id": "e0", "Expression": text})
