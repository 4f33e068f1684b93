"""The job spec: what the infrastructure tells a monitoring job, as one JSON object in an environment variable.

`docs/architecture.md`, "Job spec", describes it. Unknown keys are refused, so that a newer infrastructure cannot ask an
older image for something it would silently not do.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Any, Final, Self, get_args, get_type_hints

from monitoring.contract import BOTH, CORRELATION, LOCATION, QUALITY_METRICS, SPEC_VARIABLE
from monitoring.errors import MonitoringError
from monitoring.statistics import COMPONENTS, DEVIANCE, PSI, STATISTICS, Statistic
from serving.contract import join_variable

SCHEMA_VERSION: Final = 1
SCHEDULES: Final = ("hourly", "daily", "weekly", "monthly")
PROBLEMS: Final = ("binary-classification", "regression")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every monitoring job is told: the model and its columns.

    Attributes:
        model: The model's name.
        problem: One of `PROBLEMS`.
        label: The label's column.
        time: The column that says when a row happened.
        numeric: Names of the numeric features.
        categorical: Names of the categorical features.
        schema_version: The spec's version.
        explained_rows: So many rows are explained by their inputs' contributions; 0 for none.
    """

    model: str
    problem: str
    label: str
    time: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    schema_version: int
    explained_rows: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the spec from `SAGESTACK_MONITORING_SPEC`.

        Raises:
            MonitoringError: the variable is missing, or what it holds is not this spec.
        """
        text = join_variable(SPEC_VARIABLE, environment)
        if not text:
            raise MonitoringError(f"{SPEC_VARIABLE} is not set: it holds the job spec, a JSON object")
        return cls.from_json(text)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the spec strictly: no unknown key, none missing, every value of its type.

        Raises:
            MonitoringError: names the key, its value and the rule.
        """
        given = _json_object(text)
        version = given.get("schema_version")
        if version != SCHEMA_VERSION:
            raise _wrong("schema_version", version, f"this image reads version {SCHEMA_VERSION}")
        known = {field.name for field in fields(cls)}
        required = {field.name for field in fields(cls) if field.default is MISSING}
        if unknown := sorted(given.keys() - known):
            raise MonitoringError(
                f"{SPEC_VARIABLE}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}"
            )
        if missing := sorted(required - given.keys()):
            raise MonitoringError(f"{SPEC_VARIABLE}: missing key {', '.join(missing)}")
        types = get_type_hints(cls)
        checked: dict[str, Any] = {key: _value(key, value, types[key]) for key, value in given.items()}
        return cls(**checked)

    def __post_init__(self) -> None:
        if self.problem not in PROBLEMS:
            raise _wrong("problem", self.problem, f"one of {', '.join(PROBLEMS)}")
        names = [*self.numeric, *self.categorical, self.label, self.time]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise MonitoringError(f"{SPEC_VARIABLE}: column {', '.join(twice)} is named more than once")
        _check_at_least("explained_rows", self.explained_rows, 0)


@dataclass(frozen=True, kw_only=True)
class DriftSpec(Spec):
    """What the drift job is told besides.

    Attributes:
        endpoint: The endpoint's name, the metrics' dimension.
        variant: The production variant whose traffic is looked at.
        capture_uri: `s3://bucket/prefix`; SageMaker adds `/<endpoint>/<variant>/yyyy/mm/dd/hh/`.
        schedule: One of `SCHEDULES`: how long the window is.
        psi_threshold: A feature has drifted from this PSI on, unless there is a false-alarm rate.
        minimum_rows: Below it, the answer is "not enough data".
        prediction_psi_threshold: The same for the prediction; as `psi_threshold` when null.
        baseline_model_version: The model package version that the baseline belongs to, for the report.
        numeric_statistic: The statistic of numeric features. Null: `psi`, or with a false-alarm rate `components`.
            One other than `psi` needs such a rate.
        categorical_statistic: The same for categorical ones; null: `psi`, or with a false-alarm rate `deviance`.
        false_alarm_rate: The share of windows without drift in which any feature may be said to have drifted; sets
            every feature's threshold by the window's size.
        multivariate_statistic: `correlation`, `location`, `both`, or null for none; where there is a false-alarm rate.
        groups: Categorical features by which answers are compared.
        minimum_group_rows: Groups with fewer rows are shown, but not compared.
        reports_uri: Where this job's reports lie, a folder a run, for the page to look back on; null for nowhere.
        quality_reports_uri: The same of the quality job's.
    """

    endpoint: str
    variant: str
    capture_uri: str
    schedule: str
    psi_threshold: float
    minimum_rows: int
    prediction_psi_threshold: float | None = None
    baseline_model_version: int | None = None
    numeric_statistic: str | None = None
    categorical_statistic: str | None = None
    false_alarm_rate: float | None = None
    multivariate_statistic: str | None = BOTH
    groups: tuple[str, ...] = ()
    minimum_group_rows: int = 30
    reports_uri: str | None = None
    quality_reports_uri: str | None = None

    def looks_at(self, multivariate: str) -> bool:
        """Whether `correlation`, or `location`, of the numeric features is asked for."""
        return self.false_alarm_rate is not None and self.multivariate_statistic in {multivariate, BOTH}

    @property
    def needs_moments(self) -> bool:
        """Whether anything is asked of the numeric features together."""
        return self.looks_at(CORRELATION) or self.looks_at(LOCATION)

    def statistic(self, feature_type: str) -> Statistic:
        """The statistic of features of a type, `numeric` or `categorical`."""
        numeric = feature_type == "numeric"
        chosen = self.numeric_statistic if numeric else self.categorical_statistic
        if chosen is not None:
            return STATISTICS[chosen]
        if self.false_alarm_rate is None:
            return PSI
        return COMPONENTS if numeric else DEVIANCE

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_schedule(self.schedule)
        _check_uri("capture_uri", self.capture_uri)
        for key in ("reports_uri", "quality_reports_uri"):
            _check_uri(key, getattr(self, key) or "s3://")
        _check_at_least("minimum_rows", self.minimum_rows, 1)
        if not self.psi_threshold > 0:
            raise _wrong("psi_threshold", self.psi_threshold, "greater than 0")
        if self.false_alarm_rate is not None and not 0 < self.false_alarm_rate < 1:
            raise _wrong("false_alarm_rate", self.false_alarm_rate, "between 0 and 1")
        if self.multivariate_statistic not in {CORRELATION, LOCATION, BOTH, None}:
            accepted = f"{CORRELATION}, {LOCATION}, {BOTH} or null"
            raise _wrong("multivariate_statistic", self.multivariate_statistic, accepted)
        _check_groups(self.groups, self)
        _check_at_least("minimum_group_rows", self.minimum_group_rows, 1)
        self._check_statistic("numeric", self.numeric_statistic)
        self._check_statistic("categorical", self.categorical_statistic)

    def _check_statistic(self, feature_type: str, name: str | None) -> None:
        if name is None:
            return
        known = [each.name for each in STATISTICS.values() if feature_type in each.feature_types]
        if name not in known:
            raise _wrong(f"{feature_type}_statistic", name, f"one of {', '.join(known)}")
        if name != PSI.name and self.false_alarm_rate is None:
            raise _wrong(f"{feature_type}_statistic", name, f"{PSI.name} where there is no false_alarm_rate")


@dataclass(frozen=True, kw_only=True)
class QualitySpec(Spec):
    """What the quality job is told besides.

    Attributes:
        endpoint: The endpoint's name.
        variant: The production variant whose answers are looked at.
        capture_uri: `s3://bucket/prefix`; SageMaker adds `/<endpoint>/<variant>/yyyy/mm/dd/hh/`.
        ground_truth_uri: `s3://bucket/prefix`; labels lie below it in `yyyy/mm/dd/hh/`, by when they arrived.
        schedule: One of `SCHEDULES`: how long the window is.
        minimum_rows: With fewer labelled rows, the answer is "not enough labels".
        label_delay_days: For so long, labels may keep arriving after the window's end.
        decision_threshold: A binary classifier answers 1 from this score on; F1 is of these answers.
        metric: The metric that is watched, one of the problem's in `QUALITY_METRICS`; null for none.
        limit: The worst value of it that is good enough.
        baseline: What it was on the live version's test days, for the report.
        groups: Categorical features by which true positive rates are compared.
        minimum_group_rows: Groups with fewer rows labelled 1 are shown, but not compared.
    """

    endpoint: str
    variant: str
    capture_uri: str
    ground_truth_uri: str
    schedule: str
    minimum_rows: int
    label_delay_days: int = 0
    decision_threshold: float = 0.5
    metric: str | None = None
    limit: float | None = None
    baseline: float | None = None
    groups: tuple[str, ...] = ()
    minimum_group_rows: int = 30

    @property
    def label_delay(self) -> timedelta:
        """How long after a window's end its quality is measured."""
        return timedelta(days=self.label_delay_days)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_schedule(self.schedule)
        _check_uri("capture_uri", self.capture_uri)
        _check_uri("ground_truth_uri", self.ground_truth_uri)
        _check_at_least("minimum_rows", self.minimum_rows, 1)
        _check_at_least("label_delay_days", self.label_delay_days, 0)
        if not 0 <= self.decision_threshold <= 1:
            raise _wrong("decision_threshold", self.decision_threshold, "from 0 to 1")
        if self.metric is not None and self.metric not in QUALITY_METRICS[self.problem]:
            raise _wrong("metric", self.metric, f"one of {', '.join(QUALITY_METRICS[self.problem])}, or null")
        _check_groups(self.groups, self)
        _check_at_least("minimum_group_rows", self.minimum_group_rows, 1)
        if self.limit is not None and self.metric is None:
            raise _wrong("limit", self.limit, "null where there is no metric")


def _check_groups(groups: tuple[str, ...], spec: Spec) -> None:
    if unknown := [name for name in groups if name not in spec.categorical]:
        raise _wrong("groups", unknown, "categorical features")
    if groups and spec.problem != PROBLEMS[0]:
        raise _wrong("groups", list(groups), f"empty where the problem is not {PROBLEMS[0]}")


def _check_schedule(schedule: str) -> None:
    if schedule not in SCHEDULES:
        raise _wrong("schedule", schedule, f"one of {', '.join(SCHEDULES)}")


def _check_uri(key: str, uri: str) -> None:
    if not uri.startswith("s3://"):
        raise _wrong(key, uri, "an S3 URI, s3://bucket/prefix")


def _check_at_least(key: str, value: int, least: int) -> None:
    if value < least:
        raise _wrong(key, value, f"at least {least}")


def _json_object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise MonitoringError(f"{SPEC_VARIABLE} is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise MonitoringError(f"{SPEC_VARIABLE} holds {type(given).__name__}, not a JSON object")
    return given


def _value(key: str, value: object, expected: object) -> object:
    if expected == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise _wrong(key, value, "a list of strings")
    if expected is float or float in get_args(expected):
        value = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    allowed = get_args(expected) or (expected,)
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise _wrong(key, value, " or ".join(kind.__name__.replace("NoneType", "null") for kind in allowed))
    return value


def _wrong(key: str, value: object, rule: str) -> MonitoringError:
    return MonitoringError(f"{SPEC_VARIABLE}: {key} is {json.dumps(value, default=str)}: must be {rule}")
