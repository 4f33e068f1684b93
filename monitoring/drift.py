"""The drift job: a window's captured traffic against the baseline of the model that answered it."""

from dataclasses import replace
from typing import Final

from monitoring.aws import Aws
from monitoring.baseline_document import Baseline, read_baseline
from monitoring.bias_and_explanations import sampler_of, with_bias_and_explanations
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_INPUT,
    DRIFT_PAGE_FILE,
    DRIFT_REPORT_FILE,
    QUARANTINE_FILE,
    REPORT_OUTPUT,
    STATISTICS_FILE,
    VIOLATIONS_FILE,
)
from monitoring.errors import MonitoringError
from monitoring.gathering import gathered
from monitoring.history import read_history
from monitoring.hosts import Hosts
from monitoring.job import Job
from monitoring.metrics import publish
from monitoring.model_monitor_baseline import read_model_monitor
from monitoring.page.document import page
from monitoring.report import BaselineFormat, compare, report, summary, violations
from monitoring.spec import DriftSpec
from monitoring.traffic import count_traffic
from monitoring.window import window_before, window_end

LESS_COMPARED: Final = " (a Model Monitor baseline: predictions and correlations are not compared)"


def run(job: Job) -> str:
    """Report on one window: `drift_report.json`, `report.html`, `constraint_violations.json`, metrics.

    A drift is a successful job: the alarm on its metric acts, not the exit code. Of several hosts, the first reports.

    Raises:
        MonitoringError: the spec, the window's end or the baseline is wrong.
    """
    spec, aws = DriftSpec.from_environment(job.environment), Aws(job)
    window = window_before(window_end(job.environment), spec.schedule)
    baseline, format_ = _baseline(job, spec)
    if baseline.model != spec.model:
        raise MonitoringError(f"the baseline is of model {baseline.model}, the job's spec of {spec.model}")
    baseline, sampler = _asked_for(baseline, spec), sampler_of(job, spec)
    hosts = Hosts.of(job)
    part = count_traffic(job, aws, spec, window, baseline=baseline, hosts=hosts, sampler=sampler)
    if (counted := gathered(aws, hosts, part, baseline=baseline)) is None:
        return f"{part.profile.rows} rows counted, for {hosts.names[0]} to report"
    findings = compare(baseline, counted.profile, spec, moments=counted.moments)
    findings = with_bias_and_explanations(findings, counted, baseline=baseline, spec=spec, sampler=sampler)
    records = counted.tally.to_json()
    job.write_json(REPORT_OUTPUT, DRIFT_REPORT_FILE, report(spec, window, records, findings, baseline_format=format_))
    job.write_json(REPORT_OUTPUT, VIOLATIONS_FILE, violations(findings))
    job.write_text(
        REPORT_OUTPUT,
        DRIFT_PAGE_FILE,
        page(spec, window, records, findings, history=read_history(aws.s3, spec, window)),
    )
    if counted.tally.refused:
        job.write_text(REPORT_OUTPUT, QUARANTINE_FILE, counted.tally.quarantine())
    publish(aws.cloudwatch, spec.endpoint, window.end, findings)
    less = LESS_COMPARED if format_ == "model-monitor" else ""
    return "; ".join([f"{summary(findings, spec.minimum_rows)}{less}", *findings.notes])


def _baseline(job: Job, spec: DriftSpec) -> tuple[Baseline, BaselineFormat]:
    """Ours, or where there is none, a user's own of Model Monitor's format."""
    folder = job.folder(BASELINE_INPUT)
    if not (folder / BASELINE_FILE).exists() and (folder / STATISTICS_FILE).exists():
        return read_model_monitor(folder, spec), "model-monitor"
    return read_baseline(folder / BASELINE_FILE), "sagestack"


def _asked_for(baseline: Baseline, spec: DriftSpec) -> Baseline:
    """What is compared: without the correlations and groups that nobody asked for, so that nobody counts them."""
    decided = baseline.decided and baseline.decided.of(spec.groups)
    return replace(baseline, decided=decided, association=baseline.association if spec.needs_moments else None)
