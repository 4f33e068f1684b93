"""A role that plans and one that deploys, for people of the account and for GitHub's workflows, without stored keys.

Neither is in a stack: what deploys the stacks must not be able to widen what it may do.

Source: https://docs.github.com/actions/reference/security/oidc
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.bootstrap.boundary import set_boundary
from infra.bootstrap.permissions import deploying, planning
from infra.bootstrap.statements import Document, Statement, document
from infra.config import EnvironmentConfig, S3State
from infra.config.environment import MADE_BY_BOOTSTRAP
from infra.naming import Names
from infra.session import own_client

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
LONGEST_SESSION_SECONDS: Final = 2 * 60 * 60
"""A deploy waits for endpoints: longer than a role's usual hour."""


def roles(environment: EnvironmentConfig, state: S3State, source: Names | None) -> Iterator[str]:
    """Make both roles and what bounds them, or set them to what they must be; what was done, a line each.

    Args:
        environment: whose roles they are.
        state: where its state is.
        source: the names of the environment that it releases from; None if it is its own.
    """
    iam, names, github = own_client(environment, "iam"), environment.names, environment.github
    plans, deploys = [_people(environment)], [_people(environment)]
    if github is not None:
        yield _provider(iam, _provider_arn(environment))
        repository = f"repo:{github.repository}"
        subjects = [f"{repository}:pull_request", f"{repository}:ref:refs/heads/{github.branch}"]
        plans.append(_workflows(environment, subjects))
        deploys.append(_workflows(environment, [f"{repository}:environment:{environment.name}"]))
    if environment.permissions_boundary == MADE_BY_BOOTSTRAP:
        yield set_boundary(iam, environment, source)
    yield _role(iam, names.plan_role, document(plans), planning(environment, state, source))
    yield _role(iam, names.deploy_role, document(deploys), deploying(environment, state, source))


def _provider_arn(environment: EnvironmentConfig) -> str:
    return f"arn:aws:iam::{environment.account}:oidc-provider/{ISSUER}"


def _provider(iam: Any, arn: str) -> str:  # noqa: ANN401 - boto3's clients are made at run time
    known = [one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    if arn in known:
        return f"identity provider {ISSUER}: was there"
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE])
    return f"identity provider {ISSUER}: made"


def _role(iam: Any, name: str, trust: Document, policy: Document) -> str:  # noqa: ANN401 - as above
    """The role as it must be now, whatever it was."""
    try:
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=LONGEST_SESSION_SECONDS
        )
        done = "made"
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        iam.update_role(RoleName=name, MaxSessionDuration=LONGEST_SESSION_SECONDS)
        done = "was there, and is set"
    iam.put_role_policy(RoleName=name, PolicyName="sagestack", PolicyDocument=json.dumps(policy))
    return f"role {name}: {done}"


def _people(environment: EnvironmentConfig) -> Statement:
    """Who in the account may take the role on is for its own IAM policies to say."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{environment.account}:root"},
        "Action": "sts:AssumeRole",
    }


def _workflows(environment: EnvironmentConfig, subjects: list[str]) -> Statement:
    """Only the named pull requests, branch or environment of the one repository."""
    return {
        "Effect": "Allow",
        "Principal": {"Federated": _provider_arn(environment)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects}},
    }
