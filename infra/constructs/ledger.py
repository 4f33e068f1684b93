"""The governor's table: its decisions, the start that may be under way, the hold."""

from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.constructs.retention import retained
from infra.naming import ModelNames
from infra.provider import Construct, aws
from monitoring import contract


class Ledger(Construct):
    """One table a model, so that its governor can be given it alone: encrypted, recoverable, old decisions leave."""

    def __init__(self, scope: Construct, id_: str, *, names: ModelNames, platform: Platform) -> None:
        super().__init__(scope, id_)
        self._platform = platform
        self.table = aws.DynamodbTable(
            self,
            "table",
            name=names.ledger,
            billing_mode="PAY_PER_REQUEST",
            hash_key=contract.LEDGER_KIND,
            range_key=contract.LEDGER_AT,
            attribute=[{"name": name, "type": "S"} for name in (contract.LEDGER_KIND, contract.LEDGER_AT)],
            ttl={"attribute_name": contract.LEDGER_EXPIRES, "enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": platform.key.arn},
            point_in_time_recovery={"enabled": True},
            deletion_protection_enabled=platform.protected,
            **retained(protected=platform.protected),
        )

    def grant_keep(self, role: ServiceRole) -> None:
        """Read and write items; never delete one."""
        role.grant(allow(["dynamodb:GetItem", "dynamodb:PutItem"], [self.table.arn]))
        self._platform.key.grant_use(role)
