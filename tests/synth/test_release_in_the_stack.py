"""What a release changes in a model's stack, what stays as it was, and what is kept."""

import json
import re

import pytest

from infra.config import RealTimeEndpointConfig, ScalingConfig
from infra.naming import VARIANT

ENDPOINT_KINDS = {
    "aws_appautoscaling_policy",
    "aws_appautoscaling_target",
    "aws_cloudwatch_dashboard",
    "aws_sagemaker_endpoint",
    "aws_sagemaker_endpoint_configuration",
    "aws_sagemaker_model",
    "aws_scheduler_schedule",
}
STACK = "local-flight-delay"
COMPARED = ("metric_name", "dimensions", "comparison_operator", "threshold", "datapoints_to_alarm", "alarm_actions")
"""What an alarm compares with what, and whom it tells."""


@pytest.fixture(scope="session")
def with_releases(new_project, new_release, synthesize):
    """The model's stack for a lock; other settings of its endpoint if a test gives them."""

    def synthesized(current, previous=None, overlay="", endpoint=None, **lock):
        project = new_project()
        if overlay:
            path = project.root / "models/flight-delay.yaml"
            project.write(path, path.read_text() + f"environments: {{local: {{{overlay}}}}}\n")
        releases = [one and new_release(one, endpoint=endpoint) for one in (current, previous)]
        project.lock("flight-delay", *releases, **lock)
        return synthesize(project)[STACK]

    return synthesized


@pytest.fixture(scope="session")
def third(with_releases):
    return with_releases(3, previous=2)


def configurations(stack):
    """Each declared version's endpoint configuration, by its version."""
    return {
        int(re.search(r"release-(\d+)_", id_)[1]): configuration
        for id_, configuration in stack.all("aws_sagemaker_endpoint_configuration").items()
    }


def names(stack):
    return {one["name"] for one in stack.all("aws_sagemaker_endpoint_configuration").values()}


def live_configuration(stack):
    return stack.referred(stack.only("aws_sagemaker_endpoint")["endpoint_config_name"])


def container(stack, configuration):
    model = stack.referred(configuration["production_variants"][0]["model_name"])
    return model["primary_container"]


def addresses(stack, pattern):
    return {
        f"{kind}.{id_}": resource
        for kind, resources in stack.document["resource"].items()
        for id_, resource in resources.items()
        if re.search(pattern, id_)
    }


def test_a_model_without_a_release_trains_and_no_more(bare, first):
    assert bare[STACK].kinds().isdisjoint(ENDPOINT_KINDS)
    assert first[STACK].kinds() >= ENDPOINT_KINDS
    assert {"aws_sagemaker_pipeline", "aws_sagemaker_model_package_group", "aws_lambda_function"} <= bare[STACK].kinds()


def test_the_endpoint_serves_what_the_lock_names(first, new_release):
    stack = first[STACK]
    expected = new_release(1)
    assert container(stack, live_configuration(stack)) == {
        "image": expected["image"],
        "model_data_url": expected["model_data_url"],
    }


def test_the_previous_release_stays_declared_beside_the_current_one(second):
    stack = second[STACK]
    declared = configurations(stack)
    assert set(declared) == {1, 2}
    assert live_configuration(stack) == declared[2]
    endpoint = stack.only("aws_sagemaker_endpoint")
    assert len([one for one in endpoint["depends_on"] if "endpoint_configuration" in one]) == 2


def test_promoting_a_newer_release_leaves_the_older_ones_resources_untouched(first, second, third):
    for older, newer, version in ((first[STACK], second[STACK], 1), (second[STACK], third, 2)):
        pattern = rf"release-{version}_"
        assert addresses(older, pattern) == addresses(newer, pattern)
        assert len(addresses(older, pattern)) == 2
    assert set(configurations(third)) == {2, 3}


def rollback_alarms(stack):
    deployment = stack.only("aws_sagemaker_endpoint")["deployment_config"]
    names = [one["alarm_name"] for one in deployment["auto_rollback_configuration"]["alarms"]]
    made = {one["alarm_name"]: one for one in stack.all("aws_cloudwatch_metric_alarm").values()}
    return [(name.removeprefix("sagestack-local-flight-delay-"), made[name]) for name in names]


def test_despite_raised_alarms_those_of_the_release_s_own_instances_take_its_update_back(second, with_releases):
    usual, despite = rollback_alarms(second[STACK]), rollback_alarms(with_releases(2, 1, despite_alarms=True))
    assert [name for name, _ in usual] == ["errors", "latency"]
    assert [name for name, _ in despite] == ["new-errors", "new-latency"]
    for (_, every), (_, own) in zip(usual, despite, strict=True):
        configuration = own["dimensions"].pop("EndpointConfigName")
        assert configuration == second[STACK].only("aws_sagemaker_endpoint")["endpoint_config_name"]
        assert [own[key] for key in COMPARED] == [every[key] for key in COMPARED]


def test_rolling_back_moves_the_endpoint_and_changes_nothing_else_that_is_served(second, with_releases):
    back = with_releases(1, previous=2)
    pattern = r"release-\d+_"
    assert addresses(back, pattern) == addresses(second[STACK], pattern)
    assert live_configuration(back) == configurations(back)[1]


def test_promoting_changes_the_endpoint_the_baseline_and_the_champion_only(second, third):
    def bodies(stack):
        return {
            f"{kind}.{id_}": resource
            for kind, resources in stack.document["resource"].items()
            for id_, resource in resources.items()
            if "release-" not in id_
        }

    before, after = bodies(second[STACK]), bodies(third)
    assert before.keys() == after.keys()
    changed = {address.split(".")[0] for address in before if before[address] != after[address]}
    assert changed == {"aws_sagemaker_endpoint", "aws_sagemaker_pipeline", "aws_scheduler_schedule"}


def test_the_next_training_is_measured_against_the_live_model_on_the_live_baseline(second, new_release):
    stack = second[STACK]
    live = new_release(2)
    assert live["model_data_url"] in stack.only("aws_sagemaker_pipeline")["pipeline_definition"]
    job = stack.only("aws_scheduler_schedule")["target"]["input"]
    assert live["baseline_uri"] in job
    assert new_release(1)["baseline_uri"] not in job


def test_immutable_things_are_named_by_content_and_made_before_the_old_are_destroyed(second):
    stack = second[STACK]
    for kind in ("aws_sagemaker_model", "aws_sagemaker_endpoint_configuration"):
        resources = stack.all(kind).values()
        names = [resource["name"] for resource in resources]
        assert len(set(names)) == len(names) == 2
        assert all(re.fullmatch(r"sagestack-local-flight-delay-[0-9a-f]{10}", name) for name in names)
        assert all(resource["lifecycle"] == {"create_before_destroy": True} for resource in resources)


CHANGED = "endpoint: {instance_type: ml.c5.large, capture: {percent: 50}}"
KEPT = RealTimeEndpointConfig(scaling=ScalingConfig(min=1, max=4, requests_per_second=200)).model_dump(mode="json")


def test_a_change_of_settings_without_a_promotion_keeps_what_is_live_declared_as_it_is(with_releases):
    before = with_releases(2, previous=1, endpoint=KEPT)
    after = with_releases(2, previous=1, endpoint=KEPT, overlay=CHANGED)
    assert len(names(before)) == 2
    assert names(after) == names(before) | {live_configuration(after)["name"]}
    pattern = "configuration-"
    kept = addresses(before, pattern)
    assert {address: addresses(after, pattern)[address] for address in kept} == kept
    assert addresses(before, "release-._model") == addresses(after, "release-._model")


def test_after_a_rollback_the_endpoint_has_the_settings_it_was_deployed_with_whatever_the_file_says(with_releases):
    before = with_releases(1, endpoint=KEPT)
    after = with_releases(1, previous=2, endpoint=KEPT, overlay=CHANGED, rolled_back=True)
    assert live_configuration(after) == live_configuration(before)
    assert addresses(after, "release-1_") == addresses(before, "release-1_")


@pytest.mark.parametrize(
    "overlay",
    [
        "endpoint: {instance_type: ml.c5.large}",
        "endpoint: {scaling: {initial: 2}}",
        "endpoint: {capture: {percent: 50}}",
    ],
)
def test_a_changed_setting_gives_the_configuration_another_name_and_the_model_none(overlay, first, with_releases):
    before, after = first[STACK], with_releases(1, overlay=overlay)
    assert live_configuration(before)["name"] != live_configuration(after)["name"]
    assert before.only("aws_sagemaker_model") == after.only("aws_sagemaker_model")


def test_a_setting_that_is_no_part_of_the_configuration_does_not_rename_it(first, with_releases):
    after = with_releases(1, overlay="endpoint: {alarms: {max_latency_ms: 100}, scaling: {max: 8}}")
    assert live_configuration(first[STACK]) == live_configuration(after)


def test_the_variants_name_never_changes(second, prod):
    for stack in (second[STACK], prod["prod-churn"], prod["prod-house-price"]):
        for configuration in stack.all("aws_sagemaker_endpoint_configuration").values():
            assert [variant["variant_name"] for variant in configuration["production_variants"]] == ["main"]
    assert VARIANT == "main"


def test_capture_of_zero_percent_is_no_capture(prod, live_stack):
    assert "data_capture_config" not in prod["prod-house-price"].only("aws_sagemaker_endpoint_configuration")
    for configuration in live_stack.all("aws_sagemaker_endpoint_configuration").values():
        assert configuration["data_capture_config"]["initial_sampling_percentage"] == 100


def test_scaling_targets_the_owners_requests_a_second_as_invocations_a_minute(prod):
    stack = prod["prod-churn"]
    policy = stack.only("aws_appautoscaling_policy")
    tracking = policy["target_tracking_scaling_policy_configuration"]
    assert tracking["target_value"] == 40 * 0.5 * 60
    assert tracking["predefined_metric_specification"] == {
        "predefined_metric_type": "SageMakerVariantInvocationsPerInstance"
    }
    target = stack.only("aws_appautoscaling_target")
    assert (target["min_capacity"], target["max_capacity"]) == (1, 3)
    assert target["resource_id"] == "endpoint/acme-prod-churn/variant/main"


def test_the_scalable_target_is_registered_after_the_endpoint_and_so_removed_before_it(live_stack):
    (endpoint,) = live_stack.all("aws_sagemaker_endpoint")
    assert live_stack.only("aws_appautoscaling_target")["depends_on"] == [f"aws_sagemaker_endpoint.{endpoint}"]


def test_a_fleet_of_fixed_size_is_not_scaled(prod):
    stack = prod["prod-house-price"]
    assert not stack.all("aws_appautoscaling_target")
    assert not stack.all("aws_appautoscaling_policy")
    variant = stack.only("aws_sagemaker_endpoint_configuration")["production_variants"][0]
    assert variant["initial_instance_count"] == 2


def test_a_model_without_drift_monitoring_has_no_schedule_and_no_rule_for_it(prod):
    stack = prod["prod-house-price"]
    assert not stack.all("aws_scheduler_schedule")
    (rule,) = stack.all("aws_cloudwatch_event_rule").values()
    assert rule["name"] == "acme-prod-house-price-requested"


def test_the_governor_decides_one_event_after_the_other(every_stack):
    for stack in every_stack:
        for function in stack.all("aws_lambda_function").values():
            assert function["reserved_concurrent_executions"] == 1


def test_the_governor_is_told_the_owners_rules(prod):
    def told(stack):
        variables = stack.only("aws_lambda_function")["environment"]["variables"]
        return json.loads(variables["SAGESTACK_GOVERNOR_SPEC"])

    spec = told(prod["prod-churn"])
    assert (spec["cooldown_days"], spec["new_data"]["minimum_files"]) == (60, 3)
    assert "drift" in [watch["kind"] for watch in spec["watches"]]
    spec = told(prod["prod-house-price"])
    assert (spec["cooldown_days"], spec["new_data"], spec["watches"]) == (7, None, [])


def test_the_endpoint_is_rolled_out_as_the_model_asks_and_taken_back_by_its_alarms(with_releases):
    rollout = "{kind: canary, percent: 20, roll_back_on: [errors], more_alarms: [refunds]}"
    stack = with_releases(1, overlay=f"endpoint: {{scaling: {{min: 2}}, rollout: {rollout}}}")
    endpoint = stack.only("aws_sagemaker_endpoint")
    config = endpoint["deployment_config"]
    routing = config["blue_green_update_policy"]["traffic_routing_configuration"]
    assert (routing["type"], routing["canary_size"]["value"]) == ("CANARY", 20)
    alarms = [alarm["alarm_name"] for alarm in config["auto_rollback_configuration"]["alarms"]]
    assert alarms == ["sagestack-local-flight-delay-errors", "refunds"]
    assert len([one for one in endpoint["depends_on"] if "metric_alarm" in one]) == 1
