"""The drift job: a window's captured traffic against the baseline of the model that answered it."""

from typing import Any

import boto3

from monitoring.baseline import Baseline, read_baseline
from monitoring.capture import Tally, read_capture
from monitoring.capture_store import CaptureStore
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_INPUT,
    DRIFT_PAGE_FILE,
    DRIFT_REPORT_FILE,
    REPORT_OUTPUT,
    VIOLATIONS_FILE,
)
from monitoring.errors import MonitoringError
from monitoring.job import Job
from monitoring.metrics import publish
from monitoring.page import page
from monitoring.profile import Profile
from monitoring.report import compare, report, summary, violations
from monitoring.spec import DriftSpec
from monitoring.window import Window, window_before, window_end


def run(job: Job) -> str:
    """Report on one window: `drift_report.json`, `report.html`, `constraint_violations.json`, metrics.

    A drift is a successful job: the alarm on its metric acts, not the exit code.

    Raises:
        MonitoringError: the spec, the window's end or the baseline is wrong.
    """
    spec = DriftSpec.from_environment(job.environment)
    window = window_before(window_end(job.environment), spec.schedule)
    baseline = read_baseline(job.folder(BASELINE_INPUT) / BASELINE_FILE)
    if baseline.model != spec.model:
        raise MonitoringError(f"the baseline is of model {baseline.model}, the job's spec of {spec.model}")
    tally = Tally()
    store = CaptureStore(_client(job, "s3"), spec.capture_uri, spec.endpoint, spec.variant)
    findings = compare(baseline.profile, _profile(store, window, baseline, tally), spec)
    job.write_json(REPORT_OUTPUT, DRIFT_REPORT_FILE, report(spec, window, tally.to_json(), findings))
    job.write_json(REPORT_OUTPUT, VIOLATIONS_FILE, violations(findings))
    job.write_text(REPORT_OUTPUT, DRIFT_PAGE_FILE, page(spec, window, tally.to_json(), findings))
    publish(_client(job, "cloudwatch"), spec.endpoint, window.end, findings)
    return summary(findings, spec.minimum_rows)


def _profile(store: CaptureStore, window: Window, baseline: Baseline, tally: Tally) -> Profile:
    """Count batch by batch: memory holds one batch, whatever the window's size."""
    prediction = baseline.profile.prediction.bins
    profile = Profile.empty(baseline.bins, prediction)
    for files in store.batches(window):
        for rows, scores in read_capture(files, baseline.schema, window, tally):
            profile += Profile.of(baseline.bins, prediction, rows, scores)
    return profile


def _client(job: Job, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    # SageMaker tells a job its region by a name that boto3 does not read.
    return boto3.client(service, region_name=job.environment.get("AWS_REGION"))
