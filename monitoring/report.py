"""What a window says against the baseline: the statistic of every feature and of the prediction, and the verdict."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins
from monitoring.calibration import Thresholds, calibrated_thresholds
from monitoring.contract import CORRELATION, DRIFT_REPORT_SCHEMA_VERSION, LOCATION
from monitoring.correlation import CorrelationDrift
from monitoring.fairness.bias import Bias
from monitoring.location import Location, LocationDrift
from monitoring.model_monitor import violation
from monitoring.moments import Moments
from monitoring.profile import Distribution, Profile
from monitoring.spec import DriftSpec
from monitoring.statistics import PSI, Statistic
from monitoring.verdict import Verdict
from monitoring.window import Window

if TYPE_CHECKING:
    from monitoring.explanations.explained import ExplanationDrift

NAMED: Final = 8
"""So many drifted features are named in the verdict's sentence; the report has them all."""
STANDARD_ERRORS: Final = 3
"""Further than so many standard errors from the baseline's rate, a missing rate is no chance."""
BaselineFormat = Literal["sagestack", "model-monitor"]
Status = Literal["drift", "no-drift", "not-enough-data"]


@dataclass(frozen=True)
class Comparison(Verdict):
    """One column of the window, held against the baseline's.

    Attributes:
        baseline: The column's counts then.
        current: Its counts in the window, over the same bins.
        value: The statistic, not yet a verdict.
        threshold: From it on, the column drifted.
        statistic: What was computed.
    """

    baseline: Distribution
    current: Distribution
    value: float
    threshold: float
    statistic: Statistic = PSI

    @property
    def name(self) -> str:
        """The column."""
        return self.baseline.bins.name

    def to_json(self) -> dict[str, Any]:
        """A feature as `drift_report.json` holds it."""
        return {
            "name": self.name,
            "type": self.baseline.bins.type,
            "statistic": self.statistic.name,
            "value": self.value,
            "threshold": self.threshold,
            "missing_rate": self.current.missing_rate,
            "drifted": self.drifted,
        }


@dataclass(frozen=True)
class Findings:
    """A window's comparisons; none of them when there were too few rows to compare.

    Attributes:
        features: One a feature, in the signature's order.
        prediction: None when no prediction was captured.
        rows: Rows in the window.
        correlation: How the features go together; None where that was not asked for.
        location: Where they lie together; None likewise.
        bias: How answers differ by group, one a declared column.
        explanations: What the model goes by; None where that was not asked for, or cannot be told.
        notes: Why something that was asked for is not there.
    """

    features: tuple[Comparison, ...]
    prediction: Comparison | None
    rows: int
    correlation: CorrelationDrift | None = None
    location: LocationDrift | None = None
    bias: tuple[Bias, ...] = ()
    explanations: "ExplanationDrift | None" = None
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The verdict. A drifted prediction, or drift of the features together, alone is a drift too."""
        if not self.features:
            return "not-enough-data"
        others = any(each is not None and each.drifted for each in (self.prediction, *self.multivariate))
        return "drift" if others or self.drifted_features else "no-drift"

    @property
    def multivariate(self) -> tuple[CorrelationDrift | LocationDrift, ...]:
        """What was asked of the features together."""
        return tuple(each for each in (self.correlation, self.location) if each is not None)

    @property
    def drifted_features(self) -> list[str]:
        """Those that reach the threshold, furthest first."""
        drifted = [each for each in self.features if each.drifted]
        return [each.name for each in sorted(drifted, key=lambda each: -each.ratio)]

    @property
    def max_psi(self) -> float | None:
        """The largest of the features' population stability indices; None when none was computed."""
        return max((each.value for each in self.features if each.statistic is PSI), default=None)

    @property
    def max_drift(self) -> float | None:
        """The largest statistic, of a feature or of all together, in thresholds; None when none was computed."""
        return max((each.ratio for each in (*self.features, *self.multivariate)), default=None)


def compare(
    baseline: Baseline,
    current: Profile,
    spec: DriftSpec,
    *,
    moments: Moments | None = None,
    thresholds: Thresholds | None = None,
) -> Findings:
    """Hold a window's profile, and its numeric features' moments, against the baseline's.

    With fewer than `minimum_rows`, nothing is found. Thresholds are those of `thresholds_of`, if not given.
    """
    if current.rows < spec.minimum_rows:
        return Findings((), None, current.rows)
    thresholds = thresholds or thresholds_of(baseline, current.rows, spec)
    then, correlation, location = baseline.profile, None, None
    statistics = [spec.statistic(each.bins.type) for each in then.features]
    columns = zip(then.features, current.features, thresholds.features, statistics, strict=True)
    if baseline.association is not None and moments is not None:
        if thresholds.correlation is not None:
            correlation = baseline.association.compare(moments, thresholds.correlation)
        if thresholds.location is not None:
            location = Location.of(baseline.association).compare(moments, thresholds.location)
    features = tuple(_compare(*column) for column in columns)
    return Findings(features, _predicted(then, current, spec), current.rows, correlation, location)


def thresholds_of(baseline: Baseline, rows: int, spec: DriftSpec) -> Thresholds:
    """The fixed threshold, or what chance alone reaches in a window of so many rows."""
    features = baseline.profile.features
    if spec.false_alarm_rate is None or not features:
        return Thresholds((spec.psi_threshold,) * len(features))
    association = baseline.association if baseline.sample is not None else None
    return calibrated_thresholds(
        features,
        [spec.statistic(each.bins.type) for each in features],
        rows,
        spec.false_alarm_rate,
        sample=baseline.sample,
        correlation=spec.looks_at(CORRELATION) and association is not None,
        location=Location.of(association) if spec.looks_at(LOCATION) and association is not None else None,
    )


def report(
    spec: DriftSpec,
    window: Window,
    records: dict[str, Any],
    findings: Findings,
    *,
    baseline_format: BaselineFormat = "sagestack",
) -> dict[str, Any]:
    """`drift_report.json`, as docs/architecture.md describes it."""
    prediction = findings.prediction
    return {
        "schema_version": DRIFT_REPORT_SCHEMA_VERSION,
        "model": spec.model,
        "endpoint": spec.endpoint,
        "baseline_model_version": spec.baseline_model_version,
        "baseline_format": baseline_format,
        "window": window.to_json(),
        "records": records,
        "status": findings.status,
        "threshold": spec.psi_threshold if spec.false_alarm_rate is None else None,
        "false_alarm_rate": spec.false_alarm_rate,
        "features": [each.to_json() for each in findings.features],
        "prediction": prediction and _prediction(prediction),
        "multivariate": [each.to_json() for each in findings.multivariate],
        "bias": [each.to_json() for each in findings.bias],
        "explanations": findings.explanations and findings.explanations.to_json(),
        "notes": list(findings.notes),
        "max_psi": findings.max_psi,
        "max_drift": findings.max_drift,
        "drifted_features": findings.drifted_features,
    }


def violations(findings: Findings) -> dict[str, Any]:
    """`constraint_violations.json`: what drifted, and what the baseline's constraints do not allow."""
    found = [violation_ for each in findings.features for violation_ in _violations(each)]
    if findings.correlation and findings.correlation.drifted:
        said = f"{_changed(findings.correlation)}, {findings.correlation.value:.4g} standard errors"
        found.append(violation(findings.correlation.pairs[0].first, "baseline_drift_check", said))
    if findings.location and findings.location.drifted:
        said = f"{_moved(findings.location)}; all means together {findings.location.value:.4g}"
        found.append(violation(findings.location.features[0].name, "baseline_drift_check", said))
    return {"violations": found}


def summary(findings: Findings, minimum_rows: int) -> str:
    """The verdict in a sentence, for the exit message."""
    if findings.status == "not-enough-data":
        return f"not enough data: {findings.rows} rows in the window, {minimum_rows} needed"
    values = {each.name: each.value for each in findings.features}
    names = findings.drifted_features
    drifted = ", ".join(f"{name} {values[name]:.3g}" for name in names[:NAMED]) or "no feature"
    drifted += f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    predicted = f"; PSI of the prediction {findings.prediction.value:.3g}" if findings.prediction else ""
    together = f"; {_changed(findings.correlation)}" if findings.correlation and findings.correlation.drifted else ""
    together += f"; {_moved(findings.location)}" if findings.location and findings.location.drifted else ""
    return f"{findings.status} in {findings.rows} rows: {drifted}{predicted}{together}"


def _changed(correlation: CorrelationDrift) -> str:
    pair = correlation.pairs[0]
    return f"correlation of {pair.first} and {pair.second} {pair.baseline:.2f}, now {pair.current:.2f}"


def _moved(location: LocationDrift) -> str:
    move = location.features[0]
    return f"mean of {move.name} {move.standard_errors:+.3g} standard errors from what the other features say"


def _compare(baseline: Distribution, current: Distribution, threshold: float, statistic: Statistic) -> Comparison:
    value = float(statistic.compute(baseline.counts, current.counts))
    return Comparison(baseline, current, value, threshold, statistic)


def _predicted(baseline: Profile, current: Profile, spec: DriftSpec) -> Comparison | None:
    """By a fixed threshold: the model has seen the baseline's rows, so more than chance parts its scores of the two."""
    answered = current.prediction.rows - current.prediction.missing
    if answered < spec.minimum_rows or not baseline.prediction.rows:
        return None
    threshold = spec.psi_threshold if spec.prediction_psi_threshold is None else spec.prediction_psi_threshold
    return _compare(baseline.prediction, current.prediction, threshold, PSI)


def _prediction(comparison: Comparison) -> dict[str, Any]:
    return {
        "statistic": PSI.name,
        "value": comparison.value,
        "mean": comparison.current.mean,
        "threshold": comparison.threshold,
        "drifted": comparison.drifted,
    }


def _most_missing(each: Comparison) -> float:
    """The share of missing values that a window of this size may reach by chance alone."""
    rate, rows = each.baseline.missing_rate, each.current.rows
    return rate + STANDARD_ERRORS * math.sqrt(rate * (1 - rate) / rows)


def _violations(each: Comparison) -> list[dict[str, str]]:
    found = []
    if each.drifted:
        said = f"{each.statistic.title} {each.value:.4g} reaches the threshold {each.threshold:g}"
        found.append(violation(each.name, "baseline_drift_check", said))
    if each.current.missing_rate > _most_missing(each):
        then, now = each.baseline.missing_rate, each.current.missing_rate
        said = f"{now:.2%} of the values are missing, {then:.2%} were in the baseline"
        found.append(violation(each.name, "completeness_check", said))
    if isinstance(each.baseline.bins, CategoricalBins) and (new := int(each.current.counts[-2])):
        said = f"{new / each.current.rows:.2%} of the values are of no category in the baseline"
        found.append(violation(each.name, "categorical_values_check", said))
    return found
