"""Where jobs and endpoints run: in a network of the environment's that leads to AWS's services alone."""

import json

import pytest

from infra.constructs.vpc_endpoints import IMAGE_LAYERS

SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUPS = ["sg-0123456789abcdef0"]
EXISTING = f"""
prefix: acme
account: "210987654321"
region: eu-west-1
state: {{kind: s3, bucket: acme-terraform-state}}
network: {{kind: existing, subnets: [{", ".join(SUBNETS)}], security_groups: [{GROUPS[0]}]}}
"""
UNWATCHED = "monitoring: {drift: null}\nretraining: {on_drift: false}\n"
WAYS_OUT = {"aws_internet_gateway", "aws_nat_gateway", "aws_egress_only_internet_gateway", "aws_route", "aws_eip"}


@pytest.fixture(scope="module")
def platform(prod):
    return prod["prod-platform"]


@pytest.fixture(scope="module")
def existing(new_project, new_release, synthesize):
    """An environment in a network that is there, with a model of each way to be served that AWS has a network for."""
    project = new_project()
    project.environment("prod", EXISTING)
    project.model("churn")
    project.model("nightly", f"endpoint: {{kind: batch-transform}}\n{UNWATCHED}")
    project.model("rare", f"endpoint: {{kind: serverless}}\n{UNWATCHED}")
    for model in ("churn", "nightly", "rare"):
        project.lock(model, new_release(1), releases="infra/releases/prod")
    return synthesize(project, "prod")


def jobs(stack):
    """Every job that a stack has SageMaker start: its network isolation and its VpcConfig."""
    for pipeline in stack.all("aws_sagemaker_pipeline").values():
        for step in json.loads(pipeline["pipeline_definition"])["Steps"]:
            arguments = step["Arguments"]
            if step["Type"] == "Training":
                yield "training", arguments["EnableNetworkIsolation"], arguments.get("VpcConfig")
            if step["Type"] == "Processing":
                network = arguments["NetworkConfig"]
                yield "processing", network["EnableNetworkIsolation"], network.get("VpcConfig")
    for schedule in stack.all("aws_scheduler_schedule").values():
        request = json.loads(schedule["target"]["input"])
        if "NetworkConfig" in request:
            network = request["NetworkConfig"]
            yield "drift", network["EnableNetworkIsolation"], network.get("VpcConfig")


def granted(stack, action):
    return {
        policy["name"]
        for policy in stack.all("aws_iam_role_policy").values()
        if any(action in one["Action"] for one in json.loads(policy["policy"])["Statement"])
    }


def test_every_job_and_model_runs_in_the_network_that_is_named(existing):
    here = {"SecurityGroupIds": GROUPS, "Subnets": SUBNETS}
    found = list(jobs(existing["prod-churn"]))
    assert {kind for kind, _, _ in found} == {"training", "processing", "drift"}
    assert all(vpc == here for _, _, vpc in found)
    for name in ("churn", "nightly"):
        model = existing[f"prod-{name}"].only("aws_sagemaker_model")
        assert model["vpc_config"] == {"security_group_ids": GROUPS, "subnets": SUBNETS}


def test_only_the_job_that_publishes_metrics_has_a_network_in_it(existing, first):
    for stack in (existing["prod-churn"], first["local-flight-delay"]):
        assert {kind for kind, isolated, _ in jobs(stack) if not isolated} == {"drift"}


def test_a_serverless_endpoint_is_in_no_network_since_aws_has_none_for_it(existing):
    assert "vpc_config" not in existing["prod-rare"].only("aws_sagemaker_model")
    assert granted(existing["prod-rare"], "ec2:CreateNetworkInterface") == {"acme-prod-rare-jobs"}


def test_without_a_network_nothing_is_said_of_one(first):
    for stack in first.values():
        assert not {kind for kind in stack.kinds() if "vpc" in kind or "subnet" in kind}
        assert "ec2:" not in stack.text
        assert all(vpc is None for _, _, vpc in jobs(stack))


def test_a_model_in_another_network_is_another_model(existing, prod):
    here, there = (stacks["prod-churn"].only("aws_sagemaker_model") for stacks in (existing, prod))
    assert here["primary_container"] == there["primary_container"]
    assert here["name"] != there["name"]


def test_a_role_makes_interfaces_in_the_environments_subnets_with_its_groups_alone(existing):
    stack = existing["prod-churn"]
    assert granted(stack, "ec2:CreateNetworkInterface") == {
        f"acme-prod-churn-{r}" for r in ("endpoint", "jobs", "monitor")
    }
    arn = "arn:aws:ec2:eu-west-1:210987654321"
    for policy in stack.all("aws_iam_role_policy").values():
        for one in json.loads(policy["policy"])["Statement"]:
            if "ec2:CreateNetworkInterface" in one["Action"]:
                named = [f"{arn}:subnet/{subnet}" for subnet in SUBNETS] + [f"{arn}:security-group/{GROUPS[0]}"]
                assert one["Resource"] == [f"{arn}:network-interface/*", *named]
            if "ec2:DeleteNetworkInterface" in one["Action"]:
                assert one["Condition"] == {"ArnEquals": {"ec2:Subnet": named[:2]}}


def test_a_made_network_has_no_way_to_the_internet(platform):
    assert not WAYS_OUT & platform.kinds()
    assert "route" not in platform.only("aws_route_table")
    assert all(not subnet["map_public_ip_on_launch"] for subnet in platform.all("aws_subnet").values())


def test_it_has_a_private_subnet_a_zone(platform):
    subnets = {one["availability_zone"]: one["cidr_block"] for one in platform.all("aws_subnet").values()}
    assert subnets == {"eu-west-1a": "10.0.0.0/19", "eu-west-1b": "10.0.32.0/19"}
    assert len(platform.all("aws_route_table_association")) == 2


def test_what_runs_there_reaches_the_endpoints_by_https_and_nothing_reaches_it(platform):
    rules = {kind: list(platform.all(f"aws_vpc_security_group_{kind}_rule").values()) for kind in ("egress", "ingress")}
    groups = {
        f"${{aws_security_group.{id_}.id}}": one["name"] for id_, one in platform.all("aws_security_group").items()
    }
    assert {groups[one["security_group_id"]] for one in rules["egress"]} == {"acme-prod-containers"}
    assert {groups[one["security_group_id"]] for one in rules["ingress"]} == {"acme-prod-endpoints"}
    for rule in (*rules["egress"], *rules["ingress"]):
        assert (rule["ip_protocol"], rule["from_port"], rule["to_port"]) == ("tcp", 443, 443)
        assert not {"cidr_ipv4", "cidr_ipv6"} & rule.keys()
    assert all(not {"ingress", "egress"} & group.keys() for group in platform.all("aws_security_group").values())


def test_an_endpoint_lets_the_accounts_own_pass_and_named_actions_only(platform):
    endpoints = platform.all("aws_vpc_endpoint")
    assert len(endpoints) == 9
    for endpoint in endpoints.values():
        for one in json.loads(endpoint["policy"])["Statement"]:
            if one.get("Sid") == IMAGE_LAYERS:
                assert (one["Action"], one["Resource"]) == (
                    "s3:GetObject",
                    "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
                )
            else:
                assert one["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "210987654321"}}
            assert "*" not in str(one["Action"])


def test_files_go_to_the_environments_buckets_alone(platform):
    (gateway,) = [one for one in platform.all("aws_vpc_endpoint").values() if one["vpc_endpoint_type"] == "Gateway"]
    own, _ = json.loads(gateway["policy"])["Statement"]
    buckets = [f"arn:aws:s3:::acme-prod-{kind}-210987654321" for kind in ("data", "registry", "capture")]
    assert own["Resource"] == [arn for bucket in buckets for arn in (bucket, f"{bucket}/*")]


def test_every_connection_is_recorded_encrypted_and_for_a_time(platform):
    flow_log = platform.only("aws_flow_log")
    group = platform.referred(flow_log["log_destination"])
    assert flow_log["traffic_type"] == "ALL"
    assert (group["name"], group["retention_in_days"]) == ("/aws/vpc/acme-prod-flow-logs", 365)
    assert group["kms_key_id"].startswith("${aws_kms_key.")
