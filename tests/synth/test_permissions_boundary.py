"""The permissions boundary: on every role, wide enough for what the stacks grant, and no wider than it must be."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from infra.bootstrap.boundary import boundary
from infra.bootstrap.permissions import deploying
from infra.config import CreatedNetwork, EnvironmentConfig, S3State
from infra.local.identity.conditions import context
from infra.local.identity.evaluation import Policies, decide
from infra.local.identity.policy import Access, Principal, parse

STATE = S3State(kind="s3", bucket="acme-terraform-state")
BOUNDARY = "arn:aws:iam::210987654321:policy/boundary-acme-prod"
LONGEST_POLICY = 6_144
"""Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
TOKEN = re.compile(r"\$\{[^}]*?aws_(?P<service>[a-z0-9]+)_[^}]*\}")
WHERE = "eu-west-1:210987654321"
ARNS = {
    "cloudwatch": f"arn:aws:logs:{WHERE}:log-group:/aws/lambda/acme-prod-churn-governor",
    "dynamodb": f"arn:aws:dynamodb:{WHERE}:table/acme-prod-churn-retraining",
    "iam": "arn:aws:iam::210987654321:role/acme-prod-churn-jobs",
    "kms": f"arn:aws:kms:{WHERE}:key/id",
    "sqs": f"arn:aws:sqs:{WHERE}:acme-prod-undecided",
}
"""What stands for an ARN that only AWS knows, by the beginning of its Terraform type."""


def environment(**changes):
    known = {"name": "prod", "prefix": "acme", "account": "210987654321", "region": "eu-west-1", "state": STATE}
    return EnvironmentConfig(**known | {"permissions_boundary": "bootstrap"} | changes)


def known(resource):
    """What only AWS knows, as it would be: a whole ARN, or an id at the end of one."""
    return TOKEN.sub(lambda found: ARNS[found["service"]] if found.start() == 0 else "id", resource)


def granted(stacks):
    for stack in stacks.values():
        for policy in stack.all("aws_iam_role_policy").values():
            for statement in json.loads(policy["policy"])["Statement"]:
                for action in statement["Action"]:
                    for resource in statement["Resource"]:
                        yield policy["name"], action, known(resource)


def test_every_role_carries_it_and_none_where_there_is_none(prod, first):
    for stack in prod.values():
        assert {role["permissions_boundary"] for role in stack.all("aws_iam_role").values()} <= {BOUNDARY}
    assert all(
        "permissions_boundary" not in role for one in first.values() for role in one.all("aws_iam_role").values()
    )


def test_whatever_the_stacks_grant_is_within_it(prod):
    statements = boundary(environment())["Statement"]
    grants = set(granted(prod))
    assert len(grants) > 100
    for role, action, resource in grants:
        assert any(
            any(fnmatchcase(action, one) for one in statement["Action"])
            and any(fnmatchcase(resource, one) for one in statement["Resource"])
            for statement in statements
        ), (role, action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", "arn:aws:iam::210987654321:role/acme-prod-new"),
        ("iam:PutRolePolicy", "arn:aws:iam::210987654321:role/acme-prod-churn-jobs"),
        ("sts:AssumeRole", "arn:aws:iam::210987654321:role/deploy-acme-prod"),
        ("s3:GetObject", "arn:aws:s3:::acme-terraform-state/sagestack/prod-platform.tfstate"),
        ("s3:GetObject", "arn:aws:s3:::acme-staging-data-210987654321/churn/labelled/one.parquet"),
        ("s3:DeleteObject", "arn:aws:s3:::acme-prod-registry-210987654321/churn/runs/one"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::acme-prod-data-210987654321"),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:210987654321:key/id"),
        ("dynamodb:DeleteItem", "arn:aws:dynamodb:eu-west-1:210987654321:table/acme-prod-churn-retraining"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:210987654321:function:acme-prod-churn-governor"),
        ("sagemaker:DeleteEndpoint", "arn:aws:sagemaker:eu-west-1:210987654321:endpoint/acme-prod-churn"),
    ],
)
def test_a_role_that_was_given_everything_could_still_not(action, resource):
    everything = parse(json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    role = Principal("arn:aws:iam::210987654321:role/acme-prod-churn-jobs", "210987654321")
    asked = Access(role, action, resource, context(**{"aws:ResourceTag/environment": "prod"}))
    bounds = parse(json.dumps(boundary(environment())))
    assert decide(asked, Policies(identity=(everything,))).allowed
    assert not decide(asked, Policies(identity=(everything,), boundary=bounds)).allowed


def test_it_fits_into_what_iam_takes():
    wide = environment(other_buckets=[f"acme-{number:050}" for number in range(20)])
    assert len(json.dumps(boundary(wide), separators=(",", ":"))) < LONGEST_POLICY


def test_what_deploys_makes_no_role_without_it_and_takes_it_from_none():
    policy = deploying(environment(network=CreatedNetwork(kind="create")), STATE)["Statement"]
    about_roles = [one for one in policy if any(action.startswith("iam:") for action in one["Action"])]
    for statement in about_roles:
        for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
            if any(fnmatchcase(action, one) for one in statement["Action"]):
                assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
        assert not any(fnmatchcase("iam:DeleteRolePermissionsBoundary", one) for one in statement["Action"])
        assert not any(fnmatchcase(BOUNDARY, one) for one in statement["Resource"])


def test_a_policy_of_ones_own_may_be_the_boundary():
    own = "arn:aws:iam::210987654321:policy/security/bounds"
    chosen = environment(permissions_boundary=own)
    assert chosen.boundary_arn == own
    assert f'"iam:PermissionsBoundary": "{own}"' in json.dumps(deploying(chosen, STATE))
