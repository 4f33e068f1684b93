"""`sagestack bootstrap` against the local cloud, and real Terraform on what it made."""

import json
import os
import subprocess
from fnmatch import fnmatch

import pytest
from botocore.exceptions import ClientError

from infra.cli import main
from infra.config import load_environment
from infra.provider import App, aws, use_mirror, write_endpoint
from infra.release.state_lock import told_lock
from infra.session import client, own_client
from infra.stacks.base import EnvironmentStack

pytestmark = pytest.mark.local_cloud
ACCOUNT, BUCKET = "123456789012", "acme-shop-state"
SHOP = """
prefix: acme
account: "{account}"
region: eu-central-1
endpoint_url: {url}
state: {{kind: s3, bucket: acme-shop-state}}
deploy_role: arn:aws:iam::{account}:role/deploy-acme-shop
permissions_boundary: bootstrap
github: {{repository: acme/models}}
"""
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary-acme-shop"
GITHUB = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def project(new_project, module_cloud):
    project = new_project()
    project.environment("shop", SHOP.format(url=module_cloud.endpoint_url, account=ACCOUNT))
    project.environment("other", SHOP.format(url=module_cloud.endpoint_url, account="210987654321"))
    return project


@pytest.fixture
def bootstrap(project, monkeypatch, capsys):
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))

    def run(env="shop"):
        with pytest.raises(SystemExit) as ended:
            main(["bootstrap", "--env", env])
        answer = capsys.readouterr()
        return ended.value.code, answer.out, answer.err

    return run


@pytest.fixture
def s3(module_cloud):
    return module_cloud.client("s3")


def policy(module_cloud, role):
    found = module_cloud.client("iam").get_role_policy(RoleName=role, PolicyName="sagestack")["PolicyDocument"]
    return found["Statement"]


def test_the_first_run_makes_everything_and_the_second_says_that_it_was_there(bootstrap):
    code, out, err = bootstrap()
    assert (code, out.count(": made")) == (0, 9), err
    code, again, _ = bootstrap()
    assert (code, again.count(": was there")) == (0, 9)


def test_the_state_bucket_is_versioned_encrypted_private_and_takes_tls_only(bootstrap, s3):
    bootstrap()
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    (denied,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_only_the_environments_own_rules_may_write_to_its_own_event_logs(bootstrap, project):
    bootstrap()
    logs = own_client(load_environment("shop", project.root), "logs")
    (found,) = logs.describe_resource_policies()["resourcePolicies"]
    statements = json.loads(found["policyDocument"])["Statement"]
    assert {one["Resource"] for one in statements} == {
        f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/aws/events/acme-shop-*:*"
    }
    (written,) = [one for one in statements if one["Action"] == "logs:PutLogEvents"]
    assert written["Condition"]["ArnLike"] == {
        "aws:SourceArn": f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/acme-shop-*"
    }


def test_what_somebody_has_loosened_by_hand_is_mended_and_what_is_stored_stays(bootstrap, s3, module_cloud):
    bootstrap()
    s3.put_object(Bucket=BUCKET, Key="sagestack/kept", Body=b"state")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=BUCKET)
    iam = module_cloud.client("iam")
    anyone = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="plan-acme-shop", PolicyName="sagestack", PolicyDocument=json.dumps(anyone))
    bootstrap()
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_object(Bucket=BUCKET, Key="sagestack/kept")["Body"].read() == b"state"
    assert policy(module_cloud, "plan-acme-shop") != anyone["Statement"]


def test_a_boundary_that_somebody_has_widened_is_what_it_was_however_often_that_happens(bootstrap, module_cloud):
    bootstrap()
    iam = module_cloud.client("iam")
    for number in range(6):
        anything = {"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:s3:::{number}"}
        versions = iam.list_policy_versions(PolicyArn=BOUNDARY)["Versions"]
        if len(versions) == 5:
            spare = next(one["VersionId"] for one in versions if not one["IsDefaultVersion"])
            iam.delete_policy_version(PolicyArn=BOUNDARY, VersionId=spare)
        document = json.dumps({"Version": "2012-10-17", "Statement": [anything]})
        iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=document, SetAsDefault=True)
        bootstrap()
        current = iam.get_policy(PolicyArn=BOUNDARY)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=BOUNDARY, VersionId=current)["PolicyVersion"]["Document"]
        assert anything not in found["Statement"]


def test_running_again_leaves_a_boundary_that_is_as_it_must_be(bootstrap, module_cloud):
    bootstrap()
    before = module_cloud.client("iam").list_policy_versions(PolicyArn=BOUNDARY)["Versions"]
    bootstrap()
    assert module_cloud.client("iam").list_policy_versions(PolicyArn=BOUNDARY)["Versions"] == before


def test_the_log_groups_of_all_jobs_end_some_day_and_keep_what_somebody_has_chosen(bootstrap, project):
    logs = own_client(load_environment("shop", project.root), "logs")
    bootstrap()
    logs.put_retention_policy(logGroupName="/aws/sagemaker/TrainingJobs", retentionInDays=30)
    logs.delete_retention_policy(logGroupName="/aws/sagemaker/TransformJobs")
    bootstrap()
    found = logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    assert {one["logGroupName"].rsplit("/")[-1]: one["retentionInDays"] for one in found} == {
        "TrainingJobs": 30,
        "ProcessingJobs": 365,
        "TransformJobs": 365,
    }


def test_pull_requests_may_only_plan_and_only_the_environment_may_deploy(bootstrap, module_cloud):
    bootstrap()
    iam, subjects = module_cloud.client("iam"), {}
    for role in ("plan-acme-shop", "deploy-acme-shop"):
        people, workflows = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert people["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        condition = workflows["Condition"]["StringEquals"]
        assert condition[f"{GITHUB}:aud"] == "sts.amazonaws.com"
        subjects[role] = condition[f"{GITHUB}:sub"]
    assert subjects == {
        "plan-acme-shop": ["repo:acme/models:pull_request", "repo:acme/models:ref:refs/heads/main"],
        "deploy-acme-shop": ["repo:acme/models:environment:shop"],
    }


def test_planning_changes_nothing_and_reads_no_object_but_the_environments_state(bootstrap, module_cloud):
    bootstrap()
    objects = []
    for statement in policy(module_cloud, "plan-acme-shop"):
        for action in statement["Action"]:
            verb = action.split(":")[1]
            assert verb.startswith(("Get", "List", "Describe")), action
            if fnmatch("s3:GetObject", action):
                objects += statement["Resource"]
    assert objects == [f"arn:aws:s3:::{BUCKET}/sagestack/shop-*"]


def test_what_deploys_cannot_change_itself_nor_hand_its_roles_to_other_services(bootstrap, module_cloud):
    bootstrap()
    statements = policy(module_cloud, "deploy-acme-shop")
    roles = [one for one in statements if any(action.startswith("iam:") for action in one["Action"])]
    assert roles
    for statement in roles:
        for own in ("deploy-acme-shop", "plan-acme-shop"):
            assert not any(fnmatch(f"arn:aws:iam::{ACCOUNT}:role/{own}", arn) for arn in statement["Resource"])
    (passed,) = [one for one in roles if one["Action"] == ["iam:PassRole"]]
    assert "sagemaker.amazonaws.com" in passed["Condition"]["StringEquals"]["iam:PassedToService"]
    assert all("*" not in action for one in statements if one["Resource"] == ["*"] for action in one["Action"][1:])


def test_credentials_of_another_account_are_refused_before_anything_is_made(bootstrap):
    code, _, err = bootstrap("other")
    assert (code, err) == (2, "other is account 210987654321, but your credentials are of 123456789012\n")


def test_an_environment_without_a_state_bucket_needs_none(bootstrap):
    code, _, err = bootstrap("local")
    assert (code, "local keeps its state in build/local/state" in err) == (2, True)


def test_terraform_keeps_its_state_in_the_bucket_as_the_deploy_role(bootstrap, project, tmp_path, s3):
    bootstrap()
    environment = load_environment("shop", project.root)
    app = App(outdir=str(tmp_path))
    stack = EnvironmentStack(app, "shop-small", environment=environment, tags={})
    aws.SnsTopic(stack, "one", name="acme-shop-one")
    app.synth()
    use_mirror(app.outdir)
    write_endpoint(app.outdir, environment.endpoint_url)
    folder = tmp_path / "stacks/shop-small"

    def terraform(*arguments):
        answer = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=folder,
            env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.returncode, answer.stdout + answer.stderr

    for arguments in (("init",), ("apply", "-auto-approve")):
        code, output = terraform(*arguments)
        assert code == 0, output
    kept = json.loads(s3.get_object(Bucket=BUCKET, Key="sagestack/shop-small.tfstate")["Body"].read())
    assert [one["type"] for one in kept["resources"]] == ["aws_sns_topic"]
    assert client(environment, "sts").get_caller_identity()["Arn"].endswith("deploy-acme-shop/sagestack")
    with pytest.raises(ClientError, match="deploy-acme-shop/sagestack is not authorized to perform: sns:CreateTopic"):
        client(environment, "sns").create_topic(Name="acme-other-one")
    s3.put_object(Bucket=BUCKET, Key="sagestack/shop-small.tfstate.tflock", Body=b'{"ID": "1", "Who": "ada@desk"}')
    code, output = terraform("plan", "-lock-timeout=0s")
    assert (code, "Error acquiring the state lock" in output) == (1, True), output
    held = told_lock(environment, tmp_path, "shop-small")
    assert "The state of shop-small is locked by ada@desk since unknown" in held
    assert held.endswith("lift its lock first: terraform -chdir=cdktf.out/stacks/shop-small force-unlock 1")
    code, output = terraform("force-unlock", "-force", "1")
    assert code == 0, output
    assert told_lock(environment, tmp_path, "shop-small") == ""
