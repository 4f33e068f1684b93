"""The project's own rules hold for a real plan of a protected environment, and for every kind of endpoint."""

import pytest

from infra.config import load_project
from infra.plan.offline import Plan, PlannedResource, offline, plans
from infra.plan.policy import policy_findings

PROD = """
prefix: acme
account: "210987654321"
region: eu-west-1
state: {kind: s3, bucket: acme-terraform-state}
alarm_email: on-call@example.com
tags: {owner: platform@example.com, cost-centre: "42"}
"""


@pytest.fixture(scope="module")
def planned(new_project, tmp_path_factory):
    """Real plans of an environment on AWS, made without its account; the model has no release yet."""
    project = new_project()
    project.environment("prod", PROD)
    return {one.stack: one for one in plans(load_project("prod", project.root), tmp_path_factory.mktemp("plan"))}


def test_every_rule_holds_for_every_resource_of_the_plan(planned):
    assert policy_findings(planned.values()) == []


def test_everything_that_takes_tags_says_whose_it_is(planned):
    tagged = [one for plan in planned.values() for one in plan.resources if "tags_all" in one.values]
    assert len(tagged) > 20
    wanted = {"environment": "prod", "managed-by": "sagestack", "cost-centre": "42"}
    for resource in tagged:
        assert wanted.items() <= resource.values["tags_all"].items()
        model = {"model": "flight-delay", "owner": "flight-operations@example.com"}
        expected = model if resource.stack == "prod-flight-delay" else {"owner": "platform@example.com"}
        assert expected.items() <= resource.values["tags_all"].items()


def test_what_a_release_makes_says_of_which_version_and_commit_it_is_and_nothing_else_does(planned):
    tagged = {
        resource.type: (resource.values["tags_all"]["version"], resource.values["tags_all"]["commit"])
        for plan in planned.values()
        for resource in plan.resources
        if "commit" in (resource.values.get("tags_all") or {})
    }
    made = ("aws_sagemaker_model", "aws_sagemaker_endpoint_configuration", "aws_sagemaker_endpoint")
    assert tagged == dict.fromkeys(made, ("1", "planned"))


def test_a_model_without_a_release_is_planned_with_its_endpoint(planned):
    assert "aws_sagemaker_endpoint" in {one.type for one in planned["prod-flight-delay"].resources}


def test_no_policy_is_hidden_by_what_only_aws_knows(planned):
    policies = [one for plan in planned.values() for one in plan.resources if one.type == "aws_iam_role_policy"]
    assert len(policies) == 7
    assert all(one.values.get("policy") for one in policies)


def test_every_rule_holds_for_every_kind_of_endpoint(kinds, new_project):
    environment = load_project("local", new_project().root).environment
    for stack in kinds.values():
        resources = tuple(
            PlannedResource(stack.name, kind, name, listed_blocks(values))
            for kind, ones in offline(stack.document, environment)["resource"].items()
            for name, values in ones.items()
        )
        assert policy_findings([Plan(stack.name, stack.path, resources)]) == []


def listed_blocks(values):
    """A plan has a list of a block's occurrences where the synthesised stack may have the one."""
    plain = {name: [value] if isinstance(value, dict) else value for name, value in values.items()}
    scales = "aws_appautoscaling_policy" in str(plain.get("alarm_actions"))
    return {name: value for name, value in plain.items() if not (scales and name == "alarm_actions")}
