"""What every stack has: the provider, the tags, and a state of its own where the environment says."""

from pathlib import PurePosixPath
from typing import Any

from infra.config import EnvironmentConfig
from infra.constructs.permissions import BOUNDARY_CONTEXT
from infra.constructs.tags import TAGS_CONTEXT
from infra.provider import App, LocalBackend, S3Backend, Stack, aws, endpoint_arguments, state_endpoint_arguments

STACK_DEPTH = PurePosixPath("../../..")
"""From a stack's output folder, where Terraform runs, back to the project."""


class EnvironmentStack(Stack):
    """A stack in one environment's account and region."""

    def __init__(self, app: App, id_: str, *, environment: EnvironmentConfig, tags: dict[str, str]) -> None:
        super().__init__(app, id_)
        if environment.boundary_arn is not None:
            self.node.set_context(BOUNDARY_CONTEXT, environment.boundary_arn)
        all_tags = {"environment": environment.name, "managed-by": "sagestack"} | environment.tags | tags
        self.node.set_context(TAGS_CONTEXT, all_tags)
        self._keep_state(environment, id_)
        aws.AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=[environment.account],
            default_tags=[{"tags": all_tags}],
            assume_role=_assumed(environment),
            **(endpoint_arguments() if environment.endpoint_url else {}),
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
            assume_role=_assumed(environment),
            **(state_endpoint_arguments() if environment.endpoint_url else {}),
        )
        self.add_override("terraform.backend.s3.use_lockfile", value=True)


def _assumed(environment: EnvironmentConfig) -> Any:  # noqa: ANN401 - the provider's block and the backend's
    role = environment.deploy_role
    return None if role is None else {"role_arn": role, "session_name": "sagestack"}
