"""What the monitoring image and the retraining governor promise: commands, files, metric names. Standard library only.

Emitter and alarm import the same constant, so an alarm can never watch a metric that nobody emits.
"""

from collections.abc import Mapping
from typing import Final, Literal

IMAGE: Final = "monitoring"
ENTRYPOINT: Final = ("python", "-m", "monitoring")
VALIDATE_COMMAND: Final = "validate"
BASELINE_COMMAND: Final = "baseline"
DRIFT_COMMAND: Final = "drift"
QUALITY_COMMAND: Final = "quality"

SPEC_VARIABLE: Final = "SAGESTACK_MONITORING_SPEC"
"""Environment variable of every job of this image: the JSON object described in docs/architecture.md, "job spec".

Read it by `serving.contract.join_variable`: SageMaker takes 256 characters a variable, so a longer one is spread.
"""
SCAN_LIBRARY_VARIABLE: Final = "SAGESTACK_SCAN_LIBRARY"
"""Environment variable: where the image has the library compiled of `monitoring/native`; all is slower without it."""
WINDOW_END_VARIABLE: Final = "SAGESTACK_WINDOW_END"
"""The drift job looks at the last whole period that is over at this time (ISO 8601).

The scheduler fills in `<aws.scheduler.scheduled-time>`.
"""

# Processing inputs and outputs, below <ML root>/processing.
DATA_INPUT: Final = "input/data"
MODEL_INPUT: Final = "input/model"
BASELINE_INPUT: Final = "input/baseline"
WINDOW_INPUT: Final = "input/window"
VALIDATION_OUTPUT: Final = "output/validation"
BASELINE_OUTPUT: Final = "output/baseline"
REPORT_OUTPUT: Final = "output/report"

VALIDATION_FILE: Final = "validation.json"
VALIDATION_SCHEMA_VERSION: Final = 1
BASELINE_FILE: Final = "baseline.json"
BASELINE_SCHEMA_VERSION: Final = 1
STATISTICS_FILE: Final = "statistics.json"
CONSTRAINTS_FILE: Final = "constraints.json"
DRIFT_REPORT_FILE: Final = "drift_report.json"
DRIFT_PAGE_FILE: Final = "report.html"
DRIFT_REPORT_SCHEMA_VERSION: Final = 1
QUALITY_REPORT_FILE: Final = "quality_report.json"
QUALITY_REPORT_SCHEMA_VERSION: Final = 1
PART_SCHEMA_VERSION: Final = 1
QUARANTINE_FILE: Final = "quarantine.jsonl"
VIOLATIONS_FILE: Final = "constraint_violations.json"

METRIC_NAMESPACE: Final = "sagestack/monitoring"
ENDPOINT_DIMENSION: Final = "Endpoint"
FEATURE_DIMENSION: Final = "Feature"
PSI_METRIC: Final = "PopulationStabilityIndex"
"""By Endpoint and Feature: one value a feature and window."""
MAX_PSI_METRIC: Final = "MaxFeaturePopulationStabilityIndex"
"""By Endpoint: the largest feature PSI of the window; what the drift alarm watches where there is a PSI threshold."""
MAX_DRIFT_METRIC: Final = "MaxFeatureDrift"
"""By Endpoint: the largest statistic of the window, of a feature or of all together, in thresholds; 1 is drift.

What the drift alarm watches where thresholds are calibrated by the window's size.
"""
FEATURE_DRIFT_METRIC: Final = "FeatureDrift"
"""By Endpoint and Feature: the same of each feature whose statistic is not the PSI."""
CORRELATION: Final = "correlation"
LOCATION: Final = "location"
BOTH: Final = "both"
"""Which multivariate statistics there are: their names in job specs, reports and configuration."""
CORRELATION_DRIFT_METRIC: Final = "CorrelationDrift"
"""By Endpoint: the largest change of two features' correlation in thresholds, where there is a false-alarm rate."""
LOCATION_DRIFT_METRIC: Final = "LocationDrift"
"""By Endpoint: how far the numeric features' means moved, together, in thresholds, where there is such a rate."""
PREDICTION_PSI_METRIC: Final = "PredictionPopulationStabilityIndex"
DRIFTED_FEATURES_METRIC: Final = "DriftedFeatures"
SAMPLE_COUNT_METRIC: Final = "SampleCount"
"""Rows in the window; published also when it is zero, so that silence is always a fault."""

PARITY_METRIC: Final = "DemographicParityDifference"
"""By Endpoint and Feature: of each declared column of groups, where two of them are large enough."""
IMPACT_METRIC: Final = "DisparateImpact"
"""By Endpoint and Feature: likewise."""
OPPORTUNITY_METRIC: Final = "EqualOpportunityDifference"
"""By Endpoint and Feature: likewise, of rows whose label has come."""
RANKING_METRIC: Final = "ExplanationRankingAgreement"
"""By Endpoint: how far the order of inputs by their contributions is the baseline's; 1 is the same."""
CONTRIBUTION_METRIC: Final = "MeanAbsoluteContribution"
"""By Endpoint and Feature: how far an input moves the score, on average over a sample of the window."""

QualityMetric = Literal["auc", "f1", "log_loss", "calibration_error", "rmse", "mae"]
QUALITY_METRICS: Final[Mapping[str, tuple[QualityMetric, ...]]] = {
    "binary-classification": ("auc", "f1", "log_loss", "calibration_error"),
    "regression": ("rmse", "mae"),
}
"""What each kind of problem is measured by, once labels have come; the first is the default."""
QUALITY_BETTER_WHEN_HIGHER: Final[frozenset[QualityMetric]] = frozenset({"auc", "f1"})
METRIC_DIMENSION: Final = "Metric"
QUALITY_VALUE_METRIC: Final = "Quality"
"""By Endpoint and Metric: a quality metric of a window's labelled rows, under its name in `QUALITY_METRICS`."""
QUALITY_AT_BEST_METRIC: Final = "QualityAtBest"
"""By Endpoint and Metric: the better end of the same metric's interval; what the quality alarm watches."""
QUALITY_ESTIMATE_METRIC: Final = "QualityEstimate"
"""By Endpoint and Metric: what it would be if the scores were calibrated, without a label."""
LABELLED_ROWS_METRIC: Final = "LabelledRows"
"""By Endpoint: rows of the window with a label; published also when it is zero, so that silence is always a fault."""

GOVERNOR_HANDLER: Final = "monitoring.governor.function.handler"
GOVERNOR_SPEC_VARIABLE: Final = "SAGESTACK_GOVERNOR_SPEC"
RETRAINING_REQUESTED: Final = "Retraining Requested"
"""EventBridge detail-type of a person's request; its source is EVENT_SOURCE."""
EVENT_SOURCE: Final = "sagestack"
DATA_SETTLED: Final = "Labelled Data Settled"
"""EventBridge's detail-type, had it come by a bus: the governor's own word to itself that no more new data came."""
APPROVAL_DECIDED: Final = "Approval Decided"
"""Detail-type of every decision of the governor whether a version is approved without a person."""
RETRAINING_OUTLOOK: Final = "Retraining Outlook"
"""Detail-type of the question what would be decided now, to which the governor answers whoever calls it."""
RETRAINING_DECIDED: Final = "Retraining Decided"
"""EventBridge detail-type of every decision of the governor, yes or no; its source is EVENT_SOURCE."""

# The governor's table: its keys, the kinds of item, and the range key of those that there is one of.
LEDGER_KIND: Final = "kind"
LEDGER_AT: Final = "at"
LEDGER_EXPIRES: Final = "expires"
LEDGER_DECISION: Final = "decision"
LEDGER_START: Final = "start"
LEDGER_HOLD: Final = "hold"
LEDGER_WAITING: Final = "waiting"
LEDGER_APPROVAL: Final = "approval"
LEDGER_APPROVED: Final = "approved"
LEDGER_ONLY: Final = "only"

APPROVER: Final = "governor"
"""Who has approved, in a version's `approved_by`, where no person did."""

STARTED_BY_PARAMETER: Final = "StartedBy"
"""The pipeline parameter that says why a run was started; one of STARTED_BY."""
STARTED_BY: Final = ("new-data", "drift", "quality", "schedule", "person")
