"""Private endpoints: the only ways out of the environment's VPC, each with a policy of what may pass."""

from collections.abc import Sequence
from typing import Final

from infra.constructs.permissions import Statement, policy_document
from infra.constructs.sharing import PULL
from infra.naming import Names
from infra.provider import Construct, aws

PASSING: Final[dict[str, tuple[str, ...]]] = {
    "ecr.api": (*PULL, "ecr:GetAuthorizationToken"),
    "ecr.dkr": (*PULL, "ecr:GetAuthorizationToken"),
    "kms": ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
    "logs": ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    "monitoring": ("cloudwatch:PutMetricData",),
    "sagemaker.api": ("sagemaker:DescribeEndpoint", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
    "sagemaker.runtime": ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"),
    "sts": ("sts:GetCallerIdentity",),
}
"""What may pass the interface endpoint of each service, if the caller's own policies allow it too."""
IMAGE_LAYERS: Final = "ImageLayers"
READ: Final = ["s3:GetObject", "s3:ListBucket"]
WRITE: Final = ["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:PutObject"]


class VpcEndpoints(Construct):
    """A gateway for S3, and an interface in each subnet for each service.

    Args:
        scope: The VPC.
        id_: Its id there.
        names: The environment's names.
        vpc: Where they are.
        routes: The subnets' routes, which lead to the gateway.
        subnets: Where there are interfaces.
        services: Services with an interface.
        buckets: Buckets that may be read and written.
        read_buckets: Buckets that may only be read.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        vpc: aws.Vpc,
        routes: aws.RouteTable,
        subnets: Sequence[aws.Subnet],
        services: Sequence[str],
        buckets: Sequence[str],
        read_buckets: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        self.group = aws.SecurityGroup(
            self,
            "group",
            name=f"{names.base}-endpoints",
            description=f"Private endpoints of AWS services for {names.base}",
            vpc_id=vpc.id,
        )
        self.s3 = aws.VpcEndpoint(
            self,
            "s3",
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{names.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.id],
            policy=policy_document([*self._buckets(buckets, read_buckets), self._image_layers()]),
            tags={"Name": f"{names.base}-s3"},
        )
        for service in services:
            aws.VpcEndpoint(
                self,
                service.replace(".", "-"),
                vpc_id=vpc.id,
                service_name=f"com.amazonaws.{names.region}.{service}",
                vpc_endpoint_type="Interface",
                subnet_ids=[subnet.id for subnet in subnets],
                security_group_ids=[self.group.id],
                private_dns_enabled=True,
                policy=policy_document([self._ours(sorted(PASSING[service]), ["*"])]),
                tags={"Name": f"{names.base}-{service}"},
            )

    def _buckets(self, buckets: Sequence[str], read_buckets: Sequence[str]) -> list[Statement]:
        """Files cannot be carried into anybody else's bucket."""
        own = self._ours(sorted(READ + WRITE), _objects(buckets))
        return [own, self._ours(READ, _objects(read_buckets))] if read_buckets else [own]

    def _ours(self, actions: list[str], resources: list[str]) -> Statement:
        """Whoever belongs to the account; an endpoint's policy cannot name an account as its principal."""
        return {
            "Effect": "Allow",
            "Principal": "*",
            "Action": actions,
            "Resource": resources,
            "Condition": {"StringEquals": {"aws:PrincipalAccount": self._names.account}},
        }

    def _image_layers(self) -> Statement:
        """ECR's own bucket, which it gives signed addresses of.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html (minimum S3 permissions).
        """
        layers = f"arn:aws:s3:::prod-{self._names.region}-starport-layer-bucket/*"
        return {"Sid": IMAGE_LAYERS, "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": layers}


def _objects(buckets: Sequence[str]) -> list[str]:
    return [arn for name in buckets for arn in (f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*")]
