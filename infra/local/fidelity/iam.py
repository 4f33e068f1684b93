"""IAM's AWS-managed policies, loaded when one is first asked for: there are 1,500, and reading them takes 0.4 s."""

import json
from collections.abc import Callable
from typing import Any, Final

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from infra.local.cloud import LocalCloud

MANAGED: Final = ":iam::aws:policy/"


def install(_: LocalCloud) -> None:
    """Have them there for whoever names one."""
    for name in ("attach_role_policy", "get_policy"):
        setattr(IAMBackend, name, _loading_first(getattr(IAMBackend, name)))


def _loading_first(method: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(backend: IAMBackend, policy_arn: str, *args: str) -> Any:  # noqa: ANN401 - the method's own answer
        if MANAGED in policy_arn and not backend.aws_managed_policies:
            _load(backend)
        return method(backend, policy_arn, *args)

    return wrapper


def _load(backend: IAMBackend) -> None:
    backend.aws_managed_policies = [
        AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
        for name, data in json.loads(aws_managed_policies_data).items()
    ]
    backend.managed_policies |= {policy.arn: policy for policy in backend.aws_managed_policies}
