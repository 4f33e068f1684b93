"""What a run costs: the time that its jobs took, at the price of the machines that they run on. An estimate.

A step's time has its machine's start in it, which nobody is billed for; so the estimate is rather too high.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from monitoring.governor.rules import Costs, Run, in_month, month_of
from monitoring.governor.spec import CostCap

JOBS: Final = ("ProcessingJob", "TrainingJob")
"""Steps that cost have one of these in their metadata."""
SECONDS_AN_HOUR: Final = 3_600


@dataclass(frozen=True)
class Bill:
    """The costs of one model's runs; `sagemaker` is boto3's client."""

    sagemaker: Any
    cap: CostCap

    def costs(self, runs: Sequence[Run], now: datetime) -> Costs:
        """What this calendar month's runs have cost, and what another is expected to: what the last whole one did."""
        known, month = [run for run in runs if run.execution], month_of(now, runs)
        spent = sum(self._usd(run) for run in known if in_month(run, month))
        whole = [run for run in known if run.status == "Succeeded"]
        return Costs(spent, self._usd(max(whole, key=lambda run: run.started)) if whole else None)

    def _usd(self, run: Run) -> float:
        return sum(self._seconds(run)) / SECONDS_AN_HOUR * self.cap.usd_an_hour

    def _seconds(self, run: Run) -> Iterator[float]:
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=run.execution
        )
        for step in (step for page in pages for step in page["PipelineExecutionSteps"]):
            if "EndTime" in step and any(job in step.get("Metadata", {}) for job in JOBS):
                yield (step["EndTime"] - step["StartTime"]).total_seconds()
