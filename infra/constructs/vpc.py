"""A VPC for an environment's jobs and endpoints: private subnets, no way to the internet, a record of connections."""

from collections.abc import Sequence
from typing import Any

from infra.config import CreatedNetwork
from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.vpc_config import VpcConfig
from infra.constructs.vpc_endpoints import VpcEndpoints
from infra.naming import Names
from infra.provider import Construct, aws

HTTPS = 443


class Vpc(Construct):
    """What runs inside reaches the endpoints of AWS's services, and nothing reaches it.

    Args:
        scope: The platform.
        id_: Its id there.
        settings: What the environment's file says.
        names: The environment's names.
        key: Encrypts the flow log.
        log_days: How long that is kept.
        buckets: Buckets that may be read and written from inside.
        read_buckets: Buckets that may only be read.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: CreatedNetwork,
        names: Names,
        key: EncryptionKey,
        log_days: int,
        buckets: Sequence[str],
        read_buckets: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        self.vpc = aws.Vpc(
            self,
            "vpc",
            cidr_block=settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # the private names of interface endpoints need both
            tags={"Name": names.base},
        )
        routes = aws.RouteTable(self, "routes", vpc_id=self.vpc.id, tags={"Name": names.base})
        subnets = {zone: self._subnet(zone, settings.subnet(zone), routes) for zone in settings.zones}
        self._containers = aws.SecurityGroup(
            self,
            "containers",
            name=f"{names.base}-containers",
            description=f"Jobs and endpoints of {names.base}",
            vpc_id=self.vpc.id,
        )
        endpoints = VpcEndpoints(
            self,
            "endpoints",
            names=names,
            vpc=self.vpc,
            routes=routes,
            subnets=list(subnets.values()),
            services=settings.interfaces,
            buckets=buckets,
            read_buckets=read_buckets,
        )
        self._reach(endpoints)
        self._record(key, log_days)
        self.config = VpcConfig(
            names,
            subnets=tuple(subnet.id for subnet in subnets.values()),
            security_groups=(self._containers.id,),
            content=("create", settings.cidr, *settings.zones),
        )

    def _subnet(self, zone: str, cidr: str, routes: aws.RouteTable) -> aws.Subnet:
        subnet = aws.Subnet(
            self,
            f"subnet-{zone}",
            vpc_id=self.vpc.id,
            cidr_block=cidr,
            availability_zone=f"{self._names.region}{zone}",
            map_public_ip_on_launch=False,
            tags={"Name": f"{self._names.base}-{zone}"},
        )
        aws.RouteTableAssociation(self, f"routes-{zone}", subnet_id=subnet.id, route_table_id=routes.id)
        return subnet

    def _reach(self, endpoints: VpcEndpoints) -> None:
        """HTTPS from what runs here to the endpoints, and to nothing else."""
        way: dict[str, Any] = {"ip_protocol": "tcp", "from_port": HTTPS, "to_port": HTTPS}
        containers, interfaces = self._containers.id, endpoints.group.id
        aws.VpcSecurityGroupEgressRule(
            self,
            "containers-to-interfaces",
            security_group_id=containers,
            referenced_security_group_id=interfaces,
            description="To the interface endpoints",
            **way,
        )
        aws.VpcSecurityGroupEgressRule(
            self,
            "containers-to-s3",
            security_group_id=containers,
            prefix_list_id=endpoints.s3.prefix_list_id,
            description="To the gateway endpoint of S3",
            **way,
        )
        aws.VpcSecurityGroupIngressRule(
            self,
            "interfaces-from-containers",
            security_group_id=interfaces,
            referenced_security_group_id=containers,
            description="From jobs and endpoints",
            **way,
        )

    def _record(self, key: EncryptionKey, log_days: int) -> None:
        names = self._names
        group = aws.CloudwatchLogGroup(
            self, "flow-logs", name=f"/aws/vpc/{names.flow_logs}", retention_in_days=log_days, kms_key_id=key.arn
        )
        role = ServiceRole(
            self, "flow-logs-role", name=names.flow_logs, service="vpc-flow-logs.amazonaws.com", names=names
        )
        arn = f"arn:aws:logs:{names.region}:{names.account}:log-group"
        write = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        role.grant(
            allow(write, [f"{arn}:/aws/vpc/{names.flow_logs}:*"]), allow(["logs:DescribeLogGroups"], [f"{arn}:*"])
        )
        aws.FlowLog(
            self,
            "flow-log",
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            depends_on=[role.attach()],
        )
