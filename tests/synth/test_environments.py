"""What an environment decides: protection, state, tags, and who is told."""

import json

import pytest

STATEFUL = {
    "aws_s3_bucket": 4,
    "aws_kms_key": 1,
    "aws_ecr_repository": 3,
    "aws_sagemaker_model_package_group": 3,
}
"""Types of what cannot be made again, and how many of each prod has."""


def stateful(stacks):
    return [(kind, resource) for stack in stacks.values() for kind in STATEFUL for resource in stack.all(kind).values()]


def provider(stack):
    (provider,) = stack.document["provider"]["aws"]
    return provider


def test_a_protected_environment_refuses_to_destroy_what_holds_data(prod):
    found = stateful(prod)
    assert {kind: [k for k, _ in found].count(kind) for kind in STATEFUL} == STATEFUL
    for kind, resource in found:
        assert resource["lifecycle"] == {"prevent_destroy": True}, kind
        assert not resource.get("force_destroy")
        assert not resource.get("force_delete")


def test_a_live_endpoint_is_never_destroyed_or_replaced_where_it_is_protected(prod, first):
    """Replacing it is an outage: the new one cannot be created while the old one is still being deleted."""
    for model in ("churn", "house-price"):
        assert prod[f"prod-{model}"].only("aws_sagemaker_endpoint")["lifecycle"] == {"prevent_destroy": True}
    assert "lifecycle" not in first["local-flight-delay"].only("aws_sagemaker_endpoint")


def test_an_environment_without_protection_can_be_destroyed_whole(first):
    for kind, resource in stateful(first):
        assert "lifecycle" not in resource, kind
        if kind in ("aws_s3_bucket", "aws_ecr_repository"):
            assert resource.get("force_destroy") or resource.get("force_delete")


def test_a_protected_key_waits_longest_before_it_is_deleted(prod, first):
    assert prod["prod-platform"].only("aws_kms_key")["deletion_window_in_days"] == 30
    assert first["local-platform"].only("aws_kms_key")["deletion_window_in_days"] == 7


def test_state_in_s3_is_encrypted_locked_and_one_file_a_stack(prod):
    backends = {name: stack.document["terraform"]["backend"] for name, stack in prod.items()}
    assert backends == {
        name: {
            "s3": {
                "bucket": "acme-terraform-state",
                "key": f"sagestack/{name}.tfstate",
                "region": "eu-west-1",
                "encrypt": True,
                "use_lockfile": True,
            }
        }
        for name in ("prod-platform", "prod-churn", "prod-flight-delay", "prod-house-price")
    }


def test_state_in_a_file_lies_outside_what_is_synthesized(first):
    backends = {name: stack.document["terraform"]["backend"] for name, stack in first.items()}
    assert backends == {name: {"local": {"path": f"../../../build/local/state/{name}.tfstate"}} for name in first}


def test_a_stack_reads_the_platforms_state_where_the_platform_keeps_it(first, prod):
    for stacks, model, platform in (
        (first, "local-flight-delay", "local-platform"),
        (prod, "prod-churn", "prod-platform"),
    ):
        (remote,) = stacks[model].document["data"]["terraform_remote_state"].values()
        kept = stacks[platform].document["terraform"]["backend"][remote["backend"]]
        read = {name: value for name, value in remote["config"].items() if name in kept}
        assert read.items() <= kept.items()
        assert read


def test_every_stack_works_in_its_environments_account_and_region_only(prod, first):
    for stack in prod.values():
        assert (provider(stack)["allowed_account_ids"], provider(stack)["region"]) == (["210987654321"], "eu-west-1")
    for stack in first.values():
        assert (provider(stack)["allowed_account_ids"], provider(stack)["region"]) == (["123456789012"], "us-east-1")


def test_only_an_environment_with_an_endpoint_url_has_placeholder_credentials(prod, first):
    for stack in prod.values():
        assert provider(stack).keys() == {"region", "allowed_account_ids", "default_tags"}
    for stack in first.values():
        assert provider(stack)["access_key"] == "local"
        assert provider(stack)["shared_config_files"] == ["aws.config"]


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("prod-platform", {"environment": "prod", "managed-by": "sagestack", "cost-centre": "42"}),
        (
            "prod-house-price",
            {
                "environment": "prod",
                "managed-by": "sagestack",
                "cost-centre": "42",
                "model": "house-price",
                "owner": "valuations@example.com",
            },
        ),
    ],
)
def test_everything_is_tagged_with_its_environment_model_and_owner(prod, name, tags):
    assert provider(prod[name])["default_tags"] == [{"tags": tags}]


def test_jobs_that_a_schedule_makes_are_tagged_as_the_stack_is(prod, kinds):
    for stack in (prod["prod-churn"], kinds["batch-transform"]):
        expected = [
            {"Key": key, "Value": value} for key, value in sorted(provider(stack)["default_tags"][0]["tags"].items())
        ]
        requests = [json.loads(one["target"]["input"]) for one in stack.all("aws_scheduler_schedule").values()]
        assert requests
        assert all(request["Tags"] == expected for request in requests)


def test_alarms_reach_the_address_that_the_environment_names(prod, first):
    subscription = prod["prod-platform"].only("aws_sns_topic_subscription")
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "on-call@example.com")
    assert not first["local-platform"].all("aws_sns_topic_subscription")


def test_every_model_has_a_stack_of_its_own(prod, bare):
    assert set(prod) == {"prod-platform", "prod-churn", "prod-flight-delay", "prod-house-price"}
    assert set(bare) == {"local-platform", "local-flight-delay"}
