"""One dashboard a model, and one over all that never changes; both show what somebody publishes."""

import json

import pytest

from infra.prices import prices
from monitoring import contract
from tests.synth.dashboards import metric_rows, searched, shown, widgets

INSTANCES = "/aws/sagemaker/Endpoints"
JOBS = "/aws/sagemaker/TransformJobs"
PUBLISHED_SOMEWHERE = {
    JOBS: {"CPUUtilization", "MemoryUtilization"},
    "AWS/SageMaker": {
        *("Invocations", "InvocationsProcessed", "Invocation5XXErrors", "ModelLatency"),
        *("ApproximateBacklogSize", "ServerlessConcurrentExecutionsUtilization"),
    },
    INSTANCES: {"CPUUtilization"},
    contract.METRIC_NAMESPACE: {
        *(contract.MAX_DRIFT_METRIC, contract.PREDICTION_PSI_METRIC),
        *(contract.PSI_METRIC, contract.FEATURE_DRIFT_METRIC),
        *(contract.QUALITY_VALUE_METRIC, contract.QUALITY_ESTIMATE_METRIC),
    },
}
FLEETS = ("asynchronous", "inference-pipeline", "multi-model", "shadow", "variants")
TRAFFIC = {"Invocations", "InvocationsProcessed"}


def overview(stacks):
    (platform,) = [stack for stack in stacks.values() if stack.name.endswith("-platform")]
    return platform


def statistics(stack, metric):
    return {statistic for _, name, _, statistic in shown(stack) if name == metric}


def test_the_dashboard_over_all_models_does_not_change_as_models_come_and_go(  # noqa: PLR0917 - fixtures
    bare, second, new_project, new_release, synthesize
):
    project = new_project()
    project.model("churn")
    project.lock("churn", new_release(1))
    project.lock("flight-delay", new_release(3), new_release(2))
    with_another = synthesize(project)
    assert len({overview(stacks).text for stacks in (bare, second, with_another)}) == 1


def test_the_dashboard_over_all_models_finds_every_endpoint_of_its_environment_and_no_other(prod):
    for search in searched(overview(prod)):
        first = search["dimensions"].split(",")[0]
        assert search["term"] == f"{first}=acme {first}=prod"


def test_every_search_is_for_what_somebody_publishes(every_stack):
    for stack in every_stack:
        for search in searched(stack):
            assert search["name"] in PUBLISHED_SOMEWHERE[search["namespace"]]


def test_the_dashboard_over_all_models_shows_traffic_latency_errors_capacity_drift_quality_and_cost(prod):
    found = {(search["namespace"], search["name"], search["statistic"]) for search in searched(overview(prod))}
    assert {
        ("AWS/SageMaker", "Invocations", "Sum"),
        ("AWS/SageMaker", "Invocation5XXErrors", "Average"),
        *(("AWS/SageMaker", "ModelLatency", percentile) for percentile in ("p50", "p90", "p99")),
        (INSTANCES, "CPUUtilization", "SampleCount"),
        (contract.METRIC_NAMESPACE, contract.MAX_DRIFT_METRIC, "Maximum"),
        (contract.METRIC_NAMESPACE, contract.QUALITY_VALUE_METRIC, "Maximum"),
    } <= found
    assert ("AWS/Billing", "EstimatedCharges") in {(namespace, name) for namespace, name, *_ in shown(overview(prod))}


def test_the_dashboard_over_all_models_asks_the_log_that_keeps_what_alarms_say(prod):
    platform = overview(prod)
    (table,) = [widget for widget in widgets(platform) if widget["type"] == "log"]
    (rule,) = platform.all("aws_cloudwatch_event_rule").values()
    (target,) = platform.all("aws_cloudwatch_event_target").values()
    group = platform.referred(target["arn"])
    assert table["properties"]["query"].startswith(f"SOURCE '{group['name']}' | ")
    assert group["name"].startswith("/aws/events/")  # EventBridge writes nowhere else
    pattern = json.loads(rule["event_pattern"])
    assert pattern["source"] == ["aws.cloudwatch"]
    assert pattern["detail"] == {"alarmName": [{"prefix": "acme-prod-"}]}


@pytest.mark.parametrize("kind", [*FLEETS, "serverless"])
def test_every_kinds_dashboard_shows_traffic_percentiles_errors_and_capacity(kinds, kind):
    stack = kinds[kind]
    names = {name for _, name, _, _ in shown(stack)}
    assert names & TRAFFIC
    assert statistics(stack, "ModelLatency") >= {"p50", "p90", "p99"}
    assert statistics(stack, "Invocation5XXErrors") == {"Average"}
    if kind == "serverless":
        assert "ServerlessConcurrentExecutionsUtilization" in names
    else:
        assert {"CPUUtilization", "MemoryUtilization", "DiskUtilization"} <= names


@pytest.mark.parametrize("kind", FLEETS)
def test_the_instances_of_every_variant_are_counted(kinds, kind):
    stack = kinds[kind]
    declared = set()
    for one in stack.all("aws_sagemaker_endpoint_configuration").values():
        declared |= {each["variant_name"] for each in one["production_variants"]}
        declared |= {each["variant_name"] for each in one.get("shadow_production_variants", [])}
    counted = {
        dimensions["VariantName"]
        for namespace, _, dimensions, statistic in shown(stack)
        if (namespace, statistic) == (INSTANCES, "SampleCount")
    }
    assert counted == declared


def cost_lines(stack):
    for widget in widgets(stack):
        if widget["properties"].get("title", "").startswith("Cost of"):
            rows = widget["properties"]["metrics"]
            by_id = {row[-1]["id"]: row for row in rows}
            for row in (row[0] for row in rows if row[0] is row[-1] and "SEARCH" not in row[0]["expression"]):
                of, factor = row["expression"].split(" * ")
                yield row["label"], by_id[of], float(factor)


@pytest.mark.parametrize("kind", FLEETS)
def test_every_fleet_shows_what_its_instances_cost_an_hour_at_their_list_price(kinds, kind):
    """An hour of one instance is 60 samples: 60 times the factor is the price."""
    stack = kinds[kind]
    types = {}
    for one in stack.all("aws_sagemaker_endpoint_configuration").values():
        for each in [*one["production_variants"], *one.get("shadow_production_variants", [])]:
            types[each["variant_name"]] = each["instance_type"]
    known = {name: prices("us-east-1").instance_hour(instance_type) for name, instance_type in types.items()}
    found = {label: (row, factor) for label, row, factor in cost_lines(stack)}
    assert found.keys() == {name for name, price in known.items() if price is not None}
    for name, (row, factor) in found.items():
        assert (row[:2], row[-1]["stat"]) == ([INSTANCES, "CPUUtilization"], "SampleCount")
        assert factor * 60 == pytest.approx(known[name].usd)


def test_a_serverless_endpoint_shows_what_its_answers_cost(kinds):
    ((_, row, factor),) = cost_lines(kinds["serverless"])
    configurations = kinds["serverless"].all("aws_sagemaker_endpoint_configuration").values()
    (megabytes,) = {one["production_variants"][0]["serverless_config"]["memory_size_in_mb"] for one in configurations}
    assert (row[1], row[-1]["stat"]) == ("ModelLatency", "Sum")
    assert factor * 1e6 == pytest.approx(0.00002 * megabytes / 1024)


def test_a_batch_transform_shows_its_jobs_those_that_failed_and_what_they_cost(kinds):
    stack = kinds["batch-transform"]
    job = json.loads(stack.only("aws_scheduler_schedule")["target"]["input"])["TransformJobName"]
    searches = list(searched(stack))
    assert {(search["namespace"], search["name"], search["statistic"]) for search in searches} >= {
        (JOBS, "CPUUtilization", "Average"),
        (JOBS, "CPUUtilization", "SampleCount"),
    }
    for search in searches:
        words = [term.removeprefix("Host=") for term in search["term"].split()]
        assert "-".join(words) == job.split("<")[0].rstrip("-")
    (failed,) = [dimensions for namespace, _, dimensions, _ in shown(stack) if namespace == "AWS/Events"]
    (rule,) = [one for one in stack.all("aws_cloudwatch_event_rule").values() if one["name"].endswith("-failed")]
    assert failed == {"RuleName": rule["name"]}
    ((_, _, factor),) = cost_lines(stack)
    assert factor * 60 == pytest.approx(prices("us-east-1").instance_hour("ml.m5.large").usd)


def test_where_no_price_is_known_no_cost_is_shown(prod):
    assert list(cost_lines(prod["prod-churn"])) == []  # eu-west-1 has no price of ml.m5.large
    assert prices("eu-west-1").instance_hour("ml.m5.large") is None


def test_drift_is_shown_where_it_is_watched(prod):
    def of_windows(stack):
        return {name for namespace, name, *_ in shown(stack) if namespace == contract.METRIC_NAMESPACE}

    assert of_windows(prod["prod-churn"]) >= {contract.MAX_DRIFT_METRIC, contract.PREDICTION_PSI_METRIC}
    assert of_windows(prod["prod-house-price"]) == set()


def test_a_models_dashboard_shows_the_state_of_every_alarm_of_its_own(every_stack):
    for stack in every_stack:
        for states in [widget for widget in widgets(stack) if widget["type"] == "alarm"]:
            alarms = {one["alarm_name"] for one in stack.all("aws_cloudwatch_metric_alarm").values()}
            shown_names = {arn.rsplit(":", 1)[-1] for arn in states["properties"]["alarms"]}
            assert shown_names == {name for name in alarms if not name.endswith("-scaling")}
            assert len(shown_names) <= 100


def test_widgets_fit_the_dashboard_and_do_not_lie_upon_each_other(every_stack):
    for stack in every_stack:
        taken = set()
        for widget in widgets(stack):
            x, y, width, height = (widget[key] for key in ("x", "y", "width", "height"))
            cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
            assert x + width <= 24
            assert not cells & taken
            taken |= cells


def test_what_is_computed_is_computed_of_what_the_picture_has(every_stack):
    for stack in every_stack:
        for widget in widgets(stack):
            rows = [row[-1] for row in widget["properties"].get("metrics", [])]
            ids = {row["id"] for row in rows if "id" in row}
            assert len(ids) == sum("id" in row for row in rows)
            for row in rows:
                if row.get("expression", "SEARCH").startswith("m"):
                    assert row["expression"].split(" ")[0] in ids


def test_a_dashboard_is_no_larger_than_cloudwatch_takes(every_stack):
    assert all(sum(1 for _ in metric_rows(stack)) <= 2_500 for stack in every_stack)
    assert all(len(list(widgets(stack))) <= 500 for stack in every_stack)
