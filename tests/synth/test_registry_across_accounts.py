"""One environment's models, served by another account's: read where they are, by policies that meet."""

import json
from fnmatch import fnmatchcase

import pytest

from infra.bootstrap.boundary import boundary
from infra.bootstrap.permissions import deploying, planning
from infra.config import load_environment

DEV, PROD = "111111111111", "333333333333"
ENVIRONMENT = """
prefix: acme
account: "{account}"
region: eu-west-1
state: {{kind: s3, bucket: acme-{name}-state}}
permissions_boundary: bootstrap
{more}
"""
REGISTRY = f"arn:aws:s3:::acme-dev-registry-{DEV}"
FROM_DEV = {
    "registry": "dev",
    "model_package_arn": f"arn:aws:sagemaker:eu-west-1:{DEV}:model-package/acme-dev-churn/3",
    "model_data_url": f"s3://acme-dev-registry-{DEV}/churn/runs/run-3/TrainModel/model.tar.gz",
    "image": f"{DEV}.dkr.ecr.eu-west-1.amazonaws.com/acme-dev/serving:0123456789abcdef",
    "baseline_uri": f"s3://acme-dev-registry-{DEV}/churn/runs/run-3/ComputeBaseline/baseline",
}


@pytest.fixture(scope="module")
def project(new_project, new_release):
    """Dev trains and shares; prod serves its third version, where one of its own, the third too, was live before."""
    project = new_project()
    sharing = f'shares_registry_with: ["{PROD}"]'
    project.environment("dev", ENVIRONMENT.format(account=DEV, name="dev", more=sharing))
    releasing = "registry_from: dev\nnetwork: {kind: create}"
    project.environment("prod", ENVIRONMENT.format(account=PROD, name="prod", more=releasing))
    project.model("churn")
    project.lock("churn", new_release(3, **FROM_DEV), new_release(3), releases="infra/releases/prod")
    return project


@pytest.fixture(scope="module")
def dev(project, synthesize):
    return synthesize(project, "dev")


@pytest.fixture(scope="module")
def prod(project, synthesize):
    return synthesize(project, "prod")


def opened(dev):
    """What dev allows another account: (principal, action, resource)."""
    documents = [json.loads(one["policy"]) for one in dev["dev-platform"].all("aws_s3_bucket_policy").values()]
    documents += [json.loads(one["policy"]) for one in dev["dev-platform"].all("aws_ecr_repository_policy").values()]
    documents.append(json.loads(dev["dev-platform"].only("aws_kms_key")["policy"]))
    documents.append(json.loads(dev["dev-churn"].only("aws_sagemaker_model_package_group_policy")["resource_policy"]))
    for document in documents:
        for one in document["Statement"]:
            principal = one["Principal"]
            if one["Effect"] == "Allow" and PROD in str(principal):
                for action in [one["Action"]] if isinstance(one["Action"], str) else one["Action"]:
                    yield principal["AWS"], action, one.get("Resource", "*")


def asked(statements):
    """What is granted of dev's things: (action, resource)."""
    for one in statements:
        for action in one["Action"]:
            for resource in one["Resource"]:
                if DEV in resource:
                    yield action, resource


def asked_by_roles(stack):
    for policy in stack.all("aws_iam_role_policy").values():
        for action, resource in asked(json.loads(policy["policy"])["Statement"]):
            yield policy["name"].removeprefix("acme-prod-churn-"), action, resource


def test_another_account_may_read_packages_artifacts_and_the_serving_image_and_change_nothing(dev):
    found = set(opened(dev))
    assert {principal for principal, _, _ in found} == {f"arn:aws:iam::{PROD}:root"}
    assert {action for _, action, _ in found} == {
        *("s3:GetObject", "s3:ListBucket", "kms:Decrypt"),
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"),
        *("sagemaker:DescribeModelPackageGroup", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
        "sagemaker:CreateModel",
    }
    (repository,) = [one["repository"] for one in dev["dev-platform"].all("aws_ecr_repository_policy").values()]
    assert dev["dev-platform"].referred(repository)["name"] == "acme-dev/serving"


def test_the_key_opens_the_registrys_objects_alone_and_through_s3_alone(dev):
    policy = json.loads(dev["dev-platform"].only("aws_kms_key")["policy"])
    (shared,) = [one for one in policy["Statement"] if one["Sid"] == "SharedRegistry"]
    assert shared["Condition"] == {
        "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [REGISTRY, f"{REGISTRY}/*"]},
    }


def test_whatever_one_side_asks_for_the_other_side_allows(dev, prod, project):
    environment, source = (load_environment(name, project.root) for name in ("prod", "dev"))
    wanted = {(action, resource) for _, action, resource in asked_by_roles(prod["prod-churn"])}
    for policy in (planning, deploying):
        wanted |= set(asked(policy(environment, environment.state, source.names)["Statement"]))
    allowed = list(opened(dev))
    assert len(wanted) > 10
    for action, resource in wanted:
        concrete = resource.replace(
            "acme-dev-*", "acme-dev-churn/1" if "model-package/" in resource else "acme-dev-churn"
        )
        assert any(
            action == one and (pattern == "*" or fnmatchcase(concrete, pattern)) for _, one, pattern in allowed
        ), (action, resource)


def test_what_is_served_is_what_was_registered_there_and_nothing_is_copied(prod):
    stack = prod["prod-churn"]
    containers = [model["primary_container"] for model in stack.all("aws_sagemaker_model").values()]
    assert {"image": FROM_DEV["image"], "model_data_url": FROM_DEV["model_data_url"]} in containers
    assert not {kind for kind in stack.kinds() if "copy" in kind or kind == "aws_s3_object"}


def test_a_version_of_its_own_and_one_from_there_of_the_same_number_stand_side_by_side(prod):
    stack = prod["prod-churn"]
    assert len(stack.all("aws_sagemaker_model")) == 2
    assert len(stack.all("aws_sagemaker_endpoint_configuration")) == 2


def test_only_who_serves_or_compares_reads_there_and_its_own_model_alone(prod):
    readers = {}
    for role, action, resource in asked_by_roles(prod["prod-churn"]):
        readers.setdefault(action, set()).add(role)
        if action == "s3:GetObject":
            assert resource == f"{REGISTRY}/churn/*"
    assert readers["s3:GetObject"] == {"endpoint", "jobs", "monitor"}
    assert readers["ecr:BatchGetImage"] == {"endpoint"}


def test_the_network_and_the_boundary_leave_the_way_open(prod, project):
    (gateway,) = [
        one for one in prod["prod-platform"].all("aws_vpc_endpoint").values() if one["vpc_endpoint_type"] == "Gateway"
    ]
    assert f"{REGISTRY}/*" in gateway["policy"]
    environment, source = (load_environment(name, project.root) for name in ("prod", "dev"))
    bounds = boundary(environment, source.names)["Statement"]
    for _, action, resource in asked_by_roles(prod["prod-churn"]):
        assert any(
            action in one["Action"] and any(fnmatchcase(resource, pattern) for pattern in one["Resource"])
            for one in bounds
        ), (action, resource)
