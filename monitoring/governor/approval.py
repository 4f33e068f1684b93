"""A version that was just registered, on its way to being approved without a person."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from monitoring.contract import APPROVAL_DECIDED, APPROVER, EVENT_SOURCE
from monitoring.governor.gates import Registered, objection, praise
from monitoring.governor.ledger import Ledger
from monitoring.governor.request import TRIES, Answer, nothing
from monitoring.governor.spec import AutoApproval, Spec

PENDING: Final = "PendingManualApproval"
NEEDED: Final = {"evaluation_uri", "started_by"}
"""Among a version's properties."""


@dataclass(frozen=True)
class Approval:
    """One model package; `at` is the time of the event that told of it, `client` gives boto3's clients by service."""

    package: str
    event: str
    at: datetime
    spec: Spec
    client: Callable[[str], Any]

    def answer(self) -> Answer:
        """Decide, approve, and leave the decision behind; a package that somebody has decided about is let be."""
        gates = self.spec.auto_approval
        found = self.client("sagemaker").describe_model_package(ModelPackageName=self.package)
        status = found["ModelApprovalStatus"]
        if gates is None or status != PENDING:
            return nothing(f"{self.package} is {status}: nothing to decide")
        if NEEDED - found.get("CustomerMetadataProperties", {}).keys():
            return nothing(f"{self.package} was not registered by the pipeline: a person decides")
        version = self._registered(found, gates)
        ledger = Ledger(self.client("dynamodb"), self.spec.table)
        against = self._settle(version, gates, ledger)
        reason = praise(version, gates) if against is None else against
        if against is None:
            self._approve(found, reason)
        told: Answer = {"approved": against is None, "version": version.number, "reason": reason}
        ledger.approval(self.event, self.at, told | {"started_by": version.started_by})
        self._tell(told)
        return told

    def _settle(self, version: Registered, gates: AutoApproval, ledger: Ledger) -> str | None:
        """What speaks against it; if nothing, the approval is written down, so that no other takes its place."""
        for _ in range(TRIES):
            approved = ledger.approved(self.at)
            others = [number for number in approved if number != version.number]
            against = objection(version, gates, ledger.hold(), others)
            if against is not None or self._counted(version, approved, ledger):
                return against
        raise RuntimeError(f"{self.spec.model}: {TRIES} other approvals were written down while this was decided")

    def _counted(self, version: Registered, approved: Sequence[str], ledger: Ledger) -> bool:
        """Whether it stands among the month's; it does already if its governor died before it could approve."""
        return version.number in approved or ledger.approve(self.at, approved, version.number)

    def _registered(self, found: Mapping[str, Any], gates: AutoApproval) -> Registered:
        properties = found["CustomerMetadataProperties"]
        bucket, _, key = properties["evaluation_uri"].removeprefix("s3://").partition("/")
        evaluation = json.loads(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        champion = (evaluation["champion_metrics"] or {}).get(gates.metric)
        number, value = str(found["ModelPackageVersion"]), float(evaluation["metrics"][gates.metric])
        return Registered(number, properties["started_by"], value, champion)

    def _approve(self, found: Mapping[str, Any], why: str) -> None:
        self.client("sagemaker").update_model_package(
            ModelPackageArn=found["ModelPackageArn"],
            ModelApprovalStatus="Approved",
            ApprovalDescription=why,
            CustomerMetadataProperties=found["CustomerMetadataProperties"] | {"approved_by": APPROVER},
        )

    def _tell(self, told: Answer) -> None:
        detail = json.dumps({"model": self.spec.model, "package": self.package, **told})
        self.client("events").put_events(
            Entries=[{"Source": EVENT_SOURCE, "DetailType": APPROVAL_DECIDED, "Detail": detail}]
        )
