"""One trigger on its way to a decision: what is known is asked for, the rules decide, the pipeline is started."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from monitoring.contract import EVENT_SOURCE, RETRAINING_DECIDED, STARTED_BY_PARAMETER
from monitoring.governor.costs import Bill
from monitoring.governor.debounce import look_again, quiet_at
from monitoring.governor.labelled_rows import labelled_rows
from monitoring.governor.ledger import Ledger, Start, moment
from monitoring.governor.rules import Costs, Decision, Rows, Run, Situation, Trigger, decide
from monitoring.governor.sources import LabelledFiles, labelled_files, runs, windows, with_start
from monitoring.governor.spec import Spec

TRIES: Final = 100
"""A decision is taken again when a run has been started meanwhile; the next one then finds it in flight."""
Answer = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One trigger; `at` is its event's own time, `client` gives boto3's clients by service."""

    trigger: Trigger
    event: str
    at: datetime
    spec: Spec
    client: Callable[[str], Any]

    @functools.cached_property
    def ledger(self) -> Ledger:
        """The model's table."""
        return Ledger(self.client("dynamodb"), self.spec.table)

    def answer(self) -> Answer:
        """Decide, act, and leave the decision behind; what was decided already is only told again."""
        known = self.ledger.decision(self.event, self.at)
        if known is not None:
            return known | {"again": True}
        seen = self._windows()
        if self.trigger.routine and not any(seen[-1:]):
            return nothing(f"{self.trigger.what}: no reason to retrain {self.spec.model}")
        until = self._put_off()
        if until is not None:
            self.ledger.wait(until, self.trigger.what)
            return nothing(f"{self.trigger.what}: looked at when no more has come by {moment(until)}")
        decision, start = self._settle(seen)
        execution = self._start(start) if start else None
        self.ledger.record(decision, self.event, self.at, execution)
        if self.trigger.settled:
            self.ledger.wait(None, self.trigger.what)
        return self._tell(decision, execution)

    def look(self) -> Decision:
        """What would be decided, without acting on it."""
        return decide(self.trigger, self.at, self._situation(self.ledger.start(), self._windows()), self.spec)

    def _windows(self) -> list[bool]:
        return windows(self.client("cloudwatch"), self.spec.watch(self.trigger.started_by), self.at)

    def _put_off(self) -> datetime | None:
        """Until when new data is put off; None if it is to be decided about now."""
        debounce = self.spec.new_data.debounce if self.spec.new_data else None
        if self.trigger.started_by != "new-data" or debounce is None:
            return None
        last = self._files([]).newest if self.trigger.settled else self.at
        quiet = quiet_at(last or self.at, debounce)
        if self.trigger.settled and quiet <= self.at:
            return None
        if look_again(self.client("scheduler"), debounce, quiet, self.trigger.what):
            return quiet
        newest = self._files([]).newest  # this event came too late; a newer file's own will be looked at
        return quiet_at(newest, debounce) if newest and quiet_at(newest, debounce) > quiet else None

    def _settle(self, seen: Sequence[bool]) -> tuple[Decision, Start | None]:
        """The decision and, if it is a start, the start that is written down for it alone.

        A decision holds for the last start that it was taken on; if there is another by now, it is taken again.
        """
        for _ in range(TRIES):
            last = self.ledger.start()
            if last.event == self.event:  # its governor died between the start and the record: carry on
                return Decision(start=True, reason=self.trigger.what, started_by=self.trigger.started_by), last
            decision = decide(self.trigger, self.at, self._situation(last, seen), self.spec)
            if not decision.start and self.ledger.start() == last:
                return decision, None
            if decision.start and (begun := self.ledger.begin(last, self.event, self.at)):
                return decision, begun
        raise RuntimeError(f"{self.spec.model}: {TRIES} other starts were written down while this was decided")

    def _situation(self, last: Start, seen: Sequence[bool]) -> Situation:
        listed = runs(self.client("sagemaker"), self.spec.pipeline)
        files = self._files(listed) if self.trigger.started_by == "new-data" else LabelledFiles()
        known, cap = with_start(listed, last, self.at), self.spec.cost_cap
        costs = Bill(self.client("sagemaker"), cap).costs(listed, self.at) if cap else Costs()
        rows = self._rows(files)
        return Situation(known, len(files.new), files.new_bytes, rows, seen, self.ledger.hold(), costs)

    def _rows(self, files: LabelledFiles) -> Rows:
        enough = self.spec.new_data.minimum_rows if self.spec.new_data else 0
        return labelled_rows(self.client("s3"), self.spec.data_bucket, files.new, enough) if enough else Rows()

    def _files(self, listed: Sequence[Run]) -> LabelledFiles:
        return labelled_files(self.client("s3"), self.spec, listed)

    def _start(self, start: Start) -> str:
        """Start the pipeline; the event's id makes the token (64 characters; AWS asks for 32 or more)."""
        pipeline = self.spec.pipeline
        try:
            answer = self.client("sagemaker").start_pipeline_execution(
                PipelineName=pipeline,
                PipelineExecutionDescription=self.trigger.what[:3072],
                PipelineParameters=[{"Name": STARTED_BY_PARAMETER, "Value": self.trigger.started_by}],
                ClientRequestToken=hashlib.sha256(f"{pipeline} {self.event}".encode()).hexdigest(),
            )
        except ClientError as error:
            reason = f"{self.trigger.what}: could not be started, which is tried again: {error}"
            refused = Decision(start=False, reason=reason, started_by=self.trigger.started_by)
            self.ledger.record(refused, self.event, self.at, None, final=False)
            raise
        execution: str = answer["PipelineExecutionArn"]
        self.ledger.began(start, execution)
        return execution

    def _tell(self, decision: Decision, execution: str | None) -> Answer:
        told = asdict(decision) | {"until": moment(decision.until), "execution": execution}
        detail = json.dumps({"model": self.spec.model, "event": self.event, **told})
        self.client("events").put_events(
            Entries=[{"Source": EVENT_SOURCE, "DetailType": RETRAINING_DECIDED, "Detail": detail}]
        )
        return told


def nothing(reason: str) -> Answer:
    """What is no decision, and why."""
    return {"start": False, "reason": reason}
