"""Which endpoint configurations can be served here; the others are refused, member by member."""

from typing import Final

from infra.local.jobs.job import require
from infra.local.validation import Json, UnsupportedOperation, ValidationException

CONFIG_MEMBERS: Final = frozenset(
    {
        *("EndpointConfigName", "EndpointConfigArn", "CreationTime", "KmsKeyId", "ExecutionRoleArn"),
        *("VpcConfig", "EnableNetworkIsolation", "ResponseMetadata"),
        *("ProductionVariants", "ShadowProductionVariants", "DataCaptureConfig", "AsyncInferenceConfig"),
    }
)
VARIANT_MEMBERS: Final = frozenset(
    {
        *("VariantName", "ModelName", "InitialInstanceCount", "InstanceType", "InitialVariantWeight"),
        *("ServerlessConfig", "ContainerStartupHealthCheckTimeoutInSeconds"),
        *("VolumeSizeInGB", "ModelDataDownloadTimeoutInSeconds", "EnableSSMAccess", "InferenceAmiVersion"),
    }
)
"""The last four are of machines, which there are none of."""
RIVALS: Final = {"AsyncInferenceConfig": ("DataCaptureConfig", "ShadowProductionVariants")}


def check(config: Json) -> None:
    """Refuse a configuration that would not be served as it says.

    Args:
        config: DescribeEndpointConfig's answer.

    Raises:
        UnsupportedOperation: AWS would serve it.
        ValidationException: AWS would not.
    """
    name = config["EndpointConfigName"]
    for member in sorted(_set(config) - CONFIG_MEMBERS):
        raise UnsupportedOperation(f"{member} ({name})")
    for member, rivals in RIVALS.items():
        for rival in rivals if config.get(member) else ():
            require(not config.get(rival), f"{rival} beside {member} ({name})")
    for variant in [*config["ProductionVariants"], *config.get("ShadowProductionVariants", [])]:
        for member in sorted(_set(variant) - VARIANT_MEMBERS):
            raise UnsupportedOperation(f"{member} of variant {variant['VariantName']} ({name})")
        require("ModelName" in variant, f"inference components (variant {variant['VariantName']} has no model)")
        if variant.get("ServerlessConfig"):
            _check_serverless(config, variant)


def _set(members: Json) -> set[str]:
    return {name for name, value in members.items() if value}


def _check_serverless(config: Json, variant: Json) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html, what is not supported."""
    for rival in ("DataCaptureConfig", "AsyncInferenceConfig", "ShadowProductionVariants"):
        if config.get(rival):
            raise ValidationException(f"{rival} is not supported for serverless endpoints.")
    serverless = variant["ServerlessConfig"]
    provisioned, most = serverless.get("ProvisionedConcurrency", 0), serverless["MaxConcurrency"]
    if provisioned > most:
        raise ValidationException(f"ProvisionedConcurrency ({provisioned}) must not exceed MaxConcurrency ({most}).")
