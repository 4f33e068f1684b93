"""The network that an environment's file asks for."""

from collections.abc import Sequence

from infra.config import CreatedNetwork, EnvironmentConfig, ExistingNetwork
from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.vpc import Vpc
from infra.constructs.vpc_config import VpcConfig
from infra.provider import Construct


def network(
    scope: Construct,
    id_: str,
    *,
    environment: EnvironmentConfig,
    key: EncryptionKey,
    log_days: int,
    read_buckets: Sequence[str],
) -> VpcConfig | None:
    """Where jobs and endpoints run; None for SageMaker's own network.

    Args:
        scope: Where a VPC is made, if one is.
        id_: Its id there.
        environment: Whose network it is.
        key: Encrypts the record of connections.
        log_days: How long that is kept.
        read_buckets: Other buckets that containers read.
    """
    settings, names = environment.network, environment.names
    if isinstance(settings, ExistingNetwork):
        content = ("existing", *settings.subnets, *settings.security_groups)
        return VpcConfig(names, settings.subnets, settings.security_groups, content)
    if not isinstance(settings, CreatedNetwork):
        return None
    made = Vpc(
        scope,
        id_,
        settings=settings,
        names=names,
        key=key,
        log_days=log_days,
        buckets=[names.bucket(kind) for kind in ("data", "registry", "capture")],
        read_buckets=read_buckets,
    )
    return made.config
