"""What every stack has: the provider, the tags, and a state of its own where the environment says."""

from pathlib import PurePosixPath
from typing import Any

from infra.config import EnvironmentConfig
from infra.provider import App, LocalBackend, S3Backend, Stack, aws

PLACEHOLDER = "local"
"""An endpoint that is not AWS checks no credentials, but the provider insists on having some."""
STACK_DEPTH = PurePosixPath("../../..")
"""From a stack's output folder, where Terraform runs, back to the project."""


class EnvironmentStack(Stack):
    """A stack in one environment's account and region."""

    def __init__(self, app: App, id_: str, *, environment: EnvironmentConfig, tags: dict[str, str]) -> None:
        super().__init__(app, id_)
        self._keep_state(environment, id_)
        aws.AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=[environment.account],
            default_tags=[
                {"tags": {"environment": environment.name, "managed-by": "sagestack"} | environment.tags | tags}
            ],
            **_endpoint(environment.endpoint_url),
        )

    def _keep_state(self, environment: EnvironmentConfig, id_: str) -> None:
        """Relative and outside the output folder: no machine's path in the JSON, no state lost by cleaning."""
        state = environment.state
        if state.kind == "file":
            LocalBackend(self, path=str(STACK_DEPTH / state.directory / f"{id_}.tfstate"))
            return
        S3Backend(
            self,
            bucket=state.bucket,
            key=f"{state.key_prefix}/{id_}.tfstate",
            region=state.region or environment.region,
            encrypt=True,
        )
        self.add_override("terraform.backend.s3.use_lockfile", value=True)


def _endpoint(url: str | None) -> dict[str, Any]:
    """Any AWS-compatible endpoint: it has no instance metadata, and its buckets have no host names."""
    if url is None:
        return {}
    placeholders = {"access_key": PLACEHOLDER, "secret_key": PLACEHOLDER}
    return placeholders | {"s3_use_path_style": True, "skip_metadata_api_check": "true", "endpoints": [_endpoints(url)]}


def _endpoints(url: str) -> dict[str, str]:
    services = (
        "applicationautoscaling", "cloudwatch", "cloudwatchlogs", "dynamodb", "ec2", "ecr", "eventbridge", "iam", "kms",
        "lambda", "s3", "sagemaker", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "sts",
    )  # fmt: skip
    return dict.fromkeys(services, url)
