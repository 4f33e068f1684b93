"""What runs have cost, by the time that their jobs took."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.governor.costs import Bill
from monitoring.governor.rules import Costs, Run
from monitoring.governor.spec import CostCap

APRIL = datetime(2013, 4, 20, tzinfo=UTC)


class SageMaker:
    """Executions and the minutes of their steps, as ListPipelineExecutionSteps tells them, a step a page."""

    def __init__(self, **executions):
        self.executions = executions

    def get_paginator(self, operation):
        assert operation == "list_pipeline_execution_steps"
        return self

    def paginate(self, *, PipelineExecutionArn):  # noqa: N803 - SageMaker's name
        for kind, minutes in self.executions[PipelineExecutionArn]:
            step = {"StepName": kind, "StartTime": APRIL, "Metadata": {kind: {"Arn": "arn"}}}
            ended = {} if minutes is None else {"EndTime": APRIL + timedelta(minutes=minutes)}
            yield {"PipelineExecutionSteps": [step | ended]}


def costs(*runs, usd_an_hour=6.0, now=APRIL, **executions):
    bill = Bill(SageMaker(**executions), CostCap(max_usd_a_month=100, usd_an_hour=usd_an_hour))
    return bill.costs([Run(started, status, name) for started, status, name in runs], now)


def test_only_jobs_cost_and_of_this_months_runs_those_too_that_failed():
    found = costs(
        (APRIL - timedelta(days=30), "Succeeded", "march"),
        (APRIL - timedelta(days=9), "Failed", "a"),
        (APRIL - timedelta(days=3), "Stopped", "b"),
        march=[("TrainingJob", 60)],
        a=[("ProcessingJob", 10), ("TrainingJob", 20), ("Condition", 600)],
        b=[("ProcessingJob", None)],
    )
    assert found == Costs(spent=pytest.approx(3.0), expected=pytest.approx(6.0))


def test_another_is_expected_to_cost_what_the_last_whole_one_did_and_before_there_is_one_nobody_knows():
    assert costs() == Costs(0, None)
    assert costs((APRIL, "Failed", "a"), a=[("TrainingJob", 5)]).expected is None
    found = costs(
        (APRIL - timedelta(days=2), "Succeeded", "a"),
        (APRIL - timedelta(days=1), "Succeeded", "b"),
        (APRIL, "Failed", "c"),
        a=[("TrainingJob", 60)],
        b=[("TrainingJob", 30)],
        c=[("TrainingJob", 1)],
    )
    assert found.expected == pytest.approx(3.0)


def test_a_start_that_sagemaker_does_not_list_yet_is_not_asked_about():
    assert costs((APRIL, "Executing", "")) == Costs(0, None)
