"""The job specs that tell the images what the model is (docs/architecture.md, "job spec"), as environment variables."""

import json
from typing import Any

from infra.config import ModelConfig, Release
from infra.naming import VARIANT, ModelNames
from monitoring.contract import SPEC_VARIABLE as MONITORING_SPEC_VARIABLE
from serving.contract import split_variable
from training.contract import SPEC_VARIABLE as TRAINING_SPEC_VARIABLE

SPEC_SCHEMA_VERSION = 1


def training_spec(model: ModelConfig) -> dict[str, Any]:
    """What the training image is told."""
    training = model.training
    return {
        **_columns(model),
        "hyperparameters": dict(training.hyperparameters),
        "validation_days": training.split.validation_days,
        "test_days": training.split.test_days,
        "gate": training.gate.model_dump(exclude_none=True),
        "threshold": model.endpoint.decision_threshold,
    }


def monitoring_spec(model: ModelConfig) -> dict[str, Any]:
    """What the monitoring image is told to validate data and to compute a baseline."""
    return {**_columns(model), **_explained(model)}


def drift_spec(model: ModelConfig, names: ModelNames, baseline_version: int | None) -> dict[str, Any]:
    """What the monitoring image is told to compare captured traffic with the baseline of a model version.

    Raises:
        ValueError: drift monitoring is turned off for this model.
    """
    drift = model.monitoring.drift
    if drift is None:
        raise ValueError(f"{model.name} has no drift monitoring")
    return {
        **_columns(model),
        "endpoint": names.base,
        "variant": VARIANT,
        "capture_uri": names.capture_uri,
        "schedule": drift.schedule,
        "psi_threshold": drift.psi_threshold,
        "prediction_psi_threshold": drift.prediction_psi_threshold,
        "minimum_rows": drift.minimum_rows,
        "numeric_statistic": drift.statistics.numeric,
        "categorical_statistic": drift.statistics.categorical,
        "multivariate_statistic": drift.statistics.multivariate,
        "false_alarm_rate": drift.false_alarm_rate,
        "baseline_model_version": baseline_version,
        "reports_uri": names.drift_reports_uri,
        **({} if model.monitoring.quality is None else {"quality_reports_uri": names.quality_reports_uri}),
        **_explained(model),
        **_groups(model),
    }


def quality_spec(model: ModelConfig, names: ModelNames, release: Release) -> dict[str, Any]:
    """What the monitoring image is told to compare a release's captured answers with their labels.

    Raises:
        ValueError: quality monitoring is turned off for this model.
        UserError: the release has no limit.
    """
    quality = model.monitoring.quality
    if quality is None:
        raise ValueError(f"{model.name} has no quality monitoring")
    return {
        **_columns(model),
        "endpoint": names.base,
        "variant": VARIANT,
        "capture_uri": names.capture_uri,
        "ground_truth_uri": names.ground_truth_uri,
        "schedule": quality.schedule,
        "minimum_rows": quality.minimum_rows,
        "label_delay_days": quality.label_delay_days,
        "decision_threshold": model.endpoint.decision_threshold,
        "metric": quality.metric,
        "limit": quality.limit(release),
        "baseline": quality.baseline(release),
        **_groups(model),
    }


def training_environment(spec: dict[str, Any]) -> dict[str, str]:
    """The variables in which the training image looks for its spec."""
    return split_variable(TRAINING_SPEC_VARIABLE, _text(spec))


def monitoring_environment(spec: dict[str, Any]) -> dict[str, str]:
    """The variables in which the monitoring image looks for its spec."""
    return split_variable(MONITORING_SPEC_VARIABLE, _text(spec))


def _explained(model: ModelConfig) -> dict[str, int]:
    explanations = model.monitoring.explanations
    return {} if explanations is None else {"explained_rows": explanations.sample_rows}


def _groups(model: ModelConfig) -> dict[str, Any]:
    bias = model.monitoring.bias
    return {} if bias is None else {"groups": list(bias.groups), "minimum_group_rows": bias.minimum_group_rows}


def _columns(model: ModelConfig) -> dict[str, Any]:
    return {
        "schema_version": SPEC_SCHEMA_VERSION,
        "model": model.name,
        "problem": model.problem,
        "label": model.data.label,
        "time": model.data.time,
        "numeric": list(model.features.numeric),
        "categorical": list(model.features.categorical),
    }


def _text(spec: dict[str, Any]) -> str:
    return json.dumps(spec, separators=(",", ":"), ensure_ascii=False)
