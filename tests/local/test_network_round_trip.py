"""A network made for an environment, through real Terraform: applied, planned again without a change, gone."""

import json
from pathlib import Path

import pytest

from infra.main import build
from infra.provider import App

pytestmark = pytest.mark.local_cloud
SHOP = """
prefix: acme
account: "123456789012"
region: us-east-1
endpoint_url: http://127.0.0.1:4577
state: {kind: file, directory: build/state}
network: {kind: create, zones: [a, b, c]}
destroy_protection: false
"""


@pytest.fixture(scope="module")
def declared(new_project, tmp_path_factory):
    """Of the platform what makes up its network, and the key that encrypts the record of connections."""
    project = new_project()
    project.environment("shop", SHOP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGESTACK_ROOT", str(project.root))
        app = App(outdir=str(tmp_path_factory.mktemp("synth")))
        build(app, "shop")
        app.synth()
    platform = json.loads(Path(app.outdir, "stacks/shop-platform/cdk.tf.json").read_text())
    found = {
        kind: {id_: one for id_, one in ones.items() if "_network_" in id_ or kind == "aws_kms_key"}
        for kind, ones in platform["resource"].items()
    }
    return {kind: ones for kind, ones in found.items() if ones}


def left(cloud):
    ec2, names = cloud.client("ec2"), [{"Name": "tag:Name", "Values": ["acme-shop*"]}]
    groups = [{"Name": "group-name", "Values": ["acme-shop-*"]}]
    return [
        *ec2.describe_vpcs(Filters=names)["Vpcs"],
        *ec2.describe_subnets(Filters=names)["Subnets"],
        *ec2.describe_route_tables(Filters=names)["RouteTables"],
        *ec2.describe_security_groups(Filters=groups)["SecurityGroups"],
        *[one for one in ec2.describe_vpc_endpoints(Filters=names)["VpcEndpoints"] if one["State"] != "deleted"],
        *ec2.describe_flow_logs()["FlowLogs"],
        *cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/vpc/acme-shop")["logGroups"],
    ]


def test_a_network_comes_back_as_it_was_declared_and_goes_without_a_trace(cloud, terraform, declared):
    terraform.write({"resource": declared})
    terraform.apply()
    assert terraform.changes() == ""
    assert len(left(cloud)) == 1 + 3 + 1 + 2 + 9 + 1 + 1
    (log,) = cloud.client("ec2").describe_flow_logs()["FlowLogs"]
    assert log["LogDestination"].endswith(":log-group:/aws/vpc/acme-shop-flow-logs")
    terraform.destroy()
    assert left(cloud) == []
