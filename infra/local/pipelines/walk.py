"""The walk through a pipeline: whatever is ready runs, side by side, until nothing is."""

import os
from functools import partial
from queue import SimpleQueue

from infra.local.cloud import LocalCloud
from infra.local.pipelines.execution import Execution, StepRun
from infra.local.pipelines.steps import StepRunner


def walk(cloud: LocalCloud, execution: Execution) -> None:
    """Run an execution to its end.

    After a failure or a request to stop no further step begins; what is running comes to its end first.
    """
    runner, ended = StepRunner(cloud, execution), SimpleQueue[None]()
    limit = min(execution.start.parallelism, os.cpu_count() or 1)
    running = 0
    while True:
        for run in _begin(cloud, execution, limit - running):
            cloud.start(f"step {run.step.name} of {execution.start.arn}", partial(_run, runner, run, ended))
            running += 1
        if not running:
            break
        ended.get()
        running -= 1
    execution.end(cloud.clock.now())


def _begin(cloud: LocalCloud, execution: Execution, most: int) -> list[StepRun]:
    if execution.stop_requested.is_set() or execution.failed_runs():
        return []
    return [execution.begin_step(step, cloud.clock.now()) for step in execution.ready()[:most]]


def _run(runner: StepRunner, run: StepRun, ended: "SimpleQueue[None]") -> None:
    try:
        runner.run(run)
    finally:
        ended.put(None)
