"""Every alarm says what it means and what to do, and watches a metric that somebody publishes."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from infra.errors import UserError
from infra.local.alarms.composite_rule import AlarmRule
from monitoring import metrics, quality_metrics
from monitoring.bins import NumericBins
from monitoring.contract import METRIC_NAMESPACE
from monitoring.performance import classification
from monitoring.profile import Distribution
from monitoring.quality_report import Quality
from monitoring.report import Comparison, Findings
from tests.synth.dashboards import shown

PROJECT = Path(__file__).parents[2]
RUNBOOK = re.compile(r"Runbook: (docs/runbooks/[a-z-]+\.md)$")
OF_A_VARIANT = {
    *("Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors"),
    *("ModelLatency", "OverheadLatency"),
}
"""With the dimensions EndpointName and VariantName.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""
OF_A_KIND = {
    "serverless": (
        OF_A_VARIANT - {"InvocationsPerInstance"}
        | {"ModelSetupTime", "ServerlessConcurrentExecutionsUtilization", "ServerlessProvisionedConcurrencyUtilization"}
    ),
    "asynchronous": {
        *("Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency", "InvocationFailures"),
        *("ExpiredRequests", "NotificationFailures", "TimeInBacklog", "TotalProcessingTime", "InvocationsProcessed"),
    },
    "multi-model": OF_A_VARIANT | {"ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime", "ModelCacheHit"},
    "inference-pipeline": OF_A_VARIANT | {"ContainerLatency"},
}
"""What else SageMaker publishes of a kind, or no longer does; exhaustive for serverless and asynchronous endpoints.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
"""
OF_A_QUEUE = {"ApproximateBacklogSize", "ApproximateAgeOfOldestRequest", "HasBacklogWithoutCapacity"}
"""With the dimension EndpointName alone."""
HOUR, DAY, WEEK = 3_600, 86_400, 604_800


@pytest.fixture(scope="session")
def alarms(every_stack):
    return [alarm for stack in every_stack for alarm in for_people(stack)]


def for_people(stack):
    """The alarms that tell somebody; a step policy's own alarm adds instances, and nobody has to do anything."""
    alarms = stack.all("aws_cloudwatch_metric_alarm").values()
    return [alarm for alarm in alarms if not alarm["alarm_name"].endswith("-scaling")]


def named(stack):
    return {alarm["alarm_name"]: alarm for alarm in stack.all("aws_cloudwatch_metric_alarm").values()}


def test_a_live_model_has_its_alarms_and_one_that_is_not_has_its_governors_alone(bare, first, prod):
    def ends(stack, base):
        return {name.removeprefix(base) for name in named(stack)}

    always = {"-governor-undecided"}
    assert ends(bare["local-flight-delay"], "sagestack-local-flight-delay") == always
    monthly = always | {"-errors", "-latency", "-drift-features", "-drift-prediction"}
    assert ends(first["local-flight-delay"], "sagestack-local-flight-delay") == monthly
    assert ends(prod["prod-churn"], "acme-prod-churn") == monthly | {"-drift-silence", "-quality", "-quality-silence"}
    assert ends(prod["prod-house-price"], "acme-prod-house-price") == always | {"-errors", "-latency"}


def test_every_alarm_says_how_bad_it_is_what_it_means_and_which_runbook_helps(alarms):
    for alarm in alarms:
        text = alarm["alarm_description"]
        assert re.match(r"\[(critical|warning)\] \S", text)
        assert (PROJECT / RUNBOOK.search(text)[1]).is_file(), text


def test_every_alarm_tells_the_environments_topic_when_it_is_raised_and_when_it_clears(every_stack):
    for stack in every_stack:
        environment = stack.name.split("-")[0]
        for alarm in for_people(stack):
            (topic,) = alarm["alarm_actions"]
            assert topic.endswith(f"-{environment}-alerts")
            assert alarm["ok_actions"] == [topic]


def test_every_alarm_says_what_silence_means(alarms):
    assert {alarm["treat_missing_data"] for alarm in alarms} == {"notBreaching", "missing", "breaching"}


def test_silence_of_the_monitor_itself_is_a_fault(prod):
    for job in ("drift", "quality"):
        silence = named(prod["prod-churn"])[f"acme-prod-churn-{job}-silence"]
        assert silence["treat_missing_data"] == "breaching"
        below_one = ("SampleCount", "LessThanThreshold", 1)
        assert (silence["statistic"], silence["comparison_operator"], silence["threshold"]) == below_one
        assert silence["period"] * silence["evaluation_periods"] == 2 * DAY


def test_cloudwatch_takes_every_alarms_period_and_looks_back_as_far(alarms):
    for alarm in alarms:
        window = alarm["period"] * alarm["evaluation_periods"]
        assert alarm["period"] % 60 == 0
        assert alarm["period"] <= DAY
        assert window <= (WEEK if alarm["period"] >= HOUR else DAY)
        assert 1 <= alarm["datapoints_to_alarm"] <= alarm["evaluation_periods"]


def watched(stack):
    """Every metric of SageMaker's in the stack's alarms and dashboard, as (name, dimensions)."""
    for alarm in named(stack).values():
        if alarm["namespace"] == "AWS/SageMaker":
            yield alarm["metric_name"], dict(alarm["dimensions"])
    if stack.name.endswith("-platform"):
        return
    for namespace, name, dimensions, _ in shown(stack):
        if namespace == "AWS/SageMaker":
            yield name, dimensions


def test_every_alarm_and_picture_of_the_endpoint_shows_what_sagemaker_publishes_of_its_kind(every_stack):
    for stack in every_stack:
        published = OF_A_KIND.get(stack.name.removeprefix("local-"), OF_A_VARIANT)
        for name, dimensions in watched(stack):
            assert dimensions.pop("EndpointName") == stack.only("aws_sagemaker_endpoint")["name"]
            if name in OF_A_QUEUE:
                assert dimensions == {}
            else:
                assert name in published
                assert dimensions.pop("VariantName") in variants(stack)
                assert dimensions.keys() == ({"ContainerName"} if name == "ContainerLatency" else set())


def variants(stack):
    for configuration in stack.all("aws_sagemaker_endpoint_configuration").values():
        for variant in [*configuration["production_variants"], *configuration.get("shadow_production_variants", [])]:
            yield variant["variant_name"]


def test_every_other_alarm_watches_what_we_publish(alarms):
    assert {alarm["namespace"] for alarm in alarms} == {"AWS/SageMaker", "AWS/Lambda", METRIC_NAMESPACE}


def test_what_a_governor_fails_on_raises_its_models_own_alarm_and_waits_in_the_environments_queue(every_stack):
    queues = {stack.only("aws_sqs_queue")["name"] for stack in every_stack if stack.all("aws_sqs_queue")}
    governors = [stack for stack in every_stack if stack.all("aws_lambda_function")]
    assert governors
    for stack in governors:
        function = stack.only("aws_lambda_function")["function_name"]
        failed = stack.only("aws_lambda_function_event_invoke_config")["destination_config"]["on_failure"]
        assert failed["destination"].rsplit(":", 1)[-1] in queues
        assert not stack.all("aws_sqs_queue")
        alarm = named(stack)[f"{function}-undecided"]
        assert (alarm["namespace"], alarm["metric_name"]) == ("AWS/Lambda", "AsyncEventsDropped")
        assert alarm["dimensions"] == {"FunctionName": function}


def test_every_alarm_of_the_stacks_is_in_the_architectures_table(every_stack):
    page = (PROJECT / "docs/architecture.md").read_text(encoding="utf-8")
    table = set(re.findall(r"^\| `<endpoint>-([\w<>-]+)` \|", page, re.MULTILINE))
    ends = set()
    for stack in every_stack:
        base = [pipeline["pipeline_name"] for pipeline in stack.all("aws_sagemaker_pipeline").values()]
        ends |= {alarm["alarm_name"].removeprefix(f"{base[0]}-") for alarm in for_people(stack)}
    assert table == {re.sub("^(challenger|large)-", "<variant>-", end) for end in ends}


def test_every_alarm_of_a_monitor_watches_what_its_job_really_publishes(every_stack):
    """Publish a window with the jobs' own code, and look for each alarm's metric and dimensions in it."""
    published = []

    class CloudWatch:
        def put_metric_data(self, **request):
            published.extend(
                (request["Namespace"], one["MetricName"], tuple((d["Name"], d["Value"]) for d in one["Dimensions"]))
                for one in request["MetricData"]
            )

    watched = [
        (alarm["namespace"], alarm["metric_name"], tuple(alarm["dimensions"].items()), stack)
        for stack in every_stack
        for alarm in named(stack).values()
        if alarm["namespace"] == METRIC_NAMESPACE
    ]
    assert watched
    column = Distribution(NumericBins("age", (1.0,)), np.array([1, 1, 0]))
    comparison = Comparison(column, column, 0.0, 0.25)
    findings = Findings((comparison,), comparison, 2)
    quality = Quality(2, classification(np.array([0.0, 1.0]), np.array([0.3, 0.6])), None)
    for namespace, metric, dimensions, stack in watched:
        published.clear()
        endpoint = stack.only("aws_sagemaker_endpoint")["name"]
        metrics.publish(CloudWatch(), endpoint, datetime.now(UTC), findings)
        quality_metrics.publish(CloudWatch(), endpoint, datetime.now(UTC), quality)
        assert (namespace, metric, dimensions) in published


def test_drift_counts_from_the_owners_threshold_on_as_in_the_report(prod):
    alarm = named(prod["prod-churn"])["acme-prod-churn-drift-features"]
    assert (alarm["threshold"], alarm["comparison_operator"]) == (0.3, "GreaterThanOrEqualToThreshold")


def test_quality_is_held_against_the_stricter_of_the_owners_limit_and_the_releases_own_test_days(prod):
    """The file says 0.6, and 0.05 below the 0.7 that the version had on its test days."""
    alarm = named(prod["prod-churn"])["acme-prod-churn-quality"]
    assert (alarm["threshold"], alarm["comparison_operator"]) == (pytest.approx(0.65), "LessThanThreshold")
    assert alarm["dimensions"]["Metric"] == "auc"


def test_a_metric_that_is_better_when_lower_is_watched_from_above(new_project, new_release, synthesize):
    project = new_project()
    project.model("churn", "monitoring: {quality: {metric: log_loss, maximum: 0.5}}")
    project.lock("churn", new_release(1))
    alarm = named(synthesize(project)["local-churn"])["sagestack-local-churn-quality"]
    assert (alarm["threshold"], alarm["comparison_operator"]) == (0.5, "GreaterThanThreshold")


def test_a_release_without_the_metric_that_is_compared_is_refused_in_plain_words(new_project, new_release, synthesize):
    project = new_project()
    project.model("churn", "monitoring: {quality: {metric: log_loss, baseline_margin: 0.1}}")
    project.lock("churn", new_release(1))
    fix = "add maximum to monitoring.quality, or promote a version that has it"
    with pytest.raises(UserError, match=f"model-package/flight-delay/1 has no log_loss of its test days: {fix}"):
        synthesize(project)


def test_thresholds_are_in_the_metrics_units(prod):
    alarms = named(prod["prod-churn"])
    errors, latency = (alarms[f"acme-prod-churn-{what}"] for what in ("errors", "latency"))
    assert (errors["statistic"], errors["threshold"]) == ("Average", 0.01)  # 1 %, as a share
    assert (latency["extended_statistic"], latency["threshold"]) == ("p99", 500_000)  # 500 ms, in microseconds


def test_a_deployment_rolls_back_on_the_alarms_that_are_there_before_it(live_stack):
    endpoint = live_stack.only("aws_sagemaker_endpoint")
    rollback = {one["alarm_name"] for one in endpoint["deployment_config"]["auto_rollback_configuration"]["alarms"]}
    addresses = {
        f"aws_cloudwatch_metric_alarm.{id_}": alarm["alarm_name"]
        for id_, alarm in live_stack.all("aws_cloudwatch_metric_alarm").items()
    }
    assert rollback == {addresses[address] for address in endpoint["depends_on"] if address in addresses}
    assert len(rollback) == 2


def test_drift_alarms_reach_the_governor_by_their_names(live_stack, prod):
    for stack in (live_stack, prod["prod-churn"]):
        (drift,) = [rule for rule in stack.all("aws_cloudwatch_event_rule").values() if rule["name"].endswith("-drift")]
        listened_to = set(re.findall(r'"([a-z-]+-drift-[a-z]+)"', drift["event_pattern"]))
        assert listened_to == {name for name in named(stack) if name.endswith(("-features", "-prediction"))}


def test_with_a_false_alarm_rate_drift_counts_in_thresholds(new_project, new_release, synthesize):
    project = new_project()
    project.model("churn", "monitoring: {drift: {false_alarm_rate: 0.05, statistics: {numeric: wasserstein}}}")
    project.lock("churn", new_release(1))
    alarm = named(synthesize(project)["local-churn"])["sagestack-local-churn-drift-features"]
    assert (alarm["metric_name"], alarm["threshold"]) == ("MaxFeatureDrift", 1)


def test_of_each_severity_one_alarm_is_raised_while_any_of_its_alarms_is(every_stack):
    for stack in every_stack:
        if not stack.all("aws_sagemaker_pipeline"):
            continue
        base = stack.only("aws_sagemaker_pipeline")["pipeline_name"]
        alarms = for_people(stack)
        of = {alarm["alarm_name"]: re.match(r"\[(\w+)\]", alarm["alarm_description"])[1] for alarm in alarms}
        composites = {one["alarm_name"]: one for one in stack.all("aws_cloudwatch_composite_alarm").values()}
        assert composites.keys() == {f"{base}-{severity}" for severity in of.values()}
        for severity in set(of.values()):
            rule = AlarmRule.parse(composites[f"{base}-{severity}"]["alarm_rule"])
            assert rule.names == {name for name, own in of.items() if own == severity}
            for name in rule.names:
                assert rule.holds(dict.fromkeys(rule.names, "OK") | {name: "ALARM"})
