"""One model: everything its owner says about it."""

from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from infra.config import auto_approve
from infra.config.base import Broken, Name, RulesBroken, Section, TagText
from infra.config.bias import groups_problems
from infra.config.data import DataConfig, FeaturesConfig
from infra.config.endpoint import RealTimeEndpointConfig
from infra.config.endpoint_kinds import EndpointConfig
from infra.config.monitoring import MonitoringConfig
from infra.config.quality import fitted, unfit
from infra.config.retraining import RetrainingConfig
from infra.config.training import GateConfig, TrainingConfig
from training.contract import METRICS, Problem


class ModelConfig(Section):
    """One model, in one environment: the file with the environment's overlay merged into it.

    Rules across sections are validators of the later section, because pydantic runs those for every section that is
    valid in itself: a mistake in one section hides no mistake in another.
    """

    loader_keys: ClassVar[frozenset[str]] = frozenset({"environments"})

    name: Name
    """The model's name: lower-case words joined by hyphens, the same as the file's."""
    owner: TagText
    """Who answers for the model: an e-mail address or a team."""
    description: Annotated[str, Field(max_length=1_024)] = ""
    """What the model predicts, in a line; AWS keeps 1,024 characters."""
    problem: Problem
    """What kind of answer the model gives."""
    data: DataConfig
    """The columns of the labelled data that are not features."""
    features: FeaturesConfig
    """The columns that the model sees."""
    training: TrainingConfig = TrainingConfig()
    """How the model is trained."""
    endpoint: EndpointConfig = RealTimeEndpointConfig()
    """How the model is served."""
    monitoring: MonitoringConfig = MonitoringConfig()
    """What is watched while the model serves."""
    retraining: RetrainingConfig = RetrainingConfig()
    """What starts a retraining, and what holds it back."""

    @field_validator("features")
    @classmethod
    def _features_give_nothing_away(cls, features: FeaturesConfig, info: ValidationInfo) -> FeaturesConfig:
        data: DataConfig | None = info.data.get("data")
        if data is None:
            return features
        roles = {data.label: "label", data.time: "time"}
        broken = [
            Broken(
                (
                    (
                        f"features.{kind}[{index}]",
                        f'is "{name}", which is data.{roles[name]}: remove it from the features',
                    ),
                )
            )
            for kind in ("numeric", "categorical")
            for index, name in enumerate(getattr(features, kind))
            if name in roles
        ]
        if broken:
            raise RulesBroken(*broken, field=info.field_name)
        return features

    @field_validator("training")
    @classmethod
    def _gate_fits_problem(cls, training: TrainingConfig, info: ValidationInfo) -> TrainingConfig:
        problem: Problem | None = info.data.get("problem")
        if problem is None:
            return training
        gate = training.gate
        if "metric" not in gate.model_fields_set:
            gate = gate.model_copy(update={"metric": METRICS[problem][0]})
        if broken := _gate_problem(gate, problem):
            raise RulesBroken(broken, field=info.field_name)
        return training.model_copy(update={"gate": gate})

    @field_validator("endpoint")
    @classmethod
    def _threshold_needs_classes(cls, endpoint: EndpointConfig, info: ValidationInfo) -> EndpointConfig:
        default = type(endpoint).model_fields["decision_threshold"].default
        if info.data.get("problem") == "regression" and endpoint.decision_threshold != default:
            message = "is set but the problem is regression, which has no decision: remove it"
            raise RulesBroken(Broken((("endpoint.decision_threshold", message),)), field=info.field_name)
        return endpoint

    @field_validator("monitoring")
    @classmethod
    def _watching_needs_capture(cls, monitoring: MonitoringConfig, info: ValidationInfo) -> MonitoringConfig:
        endpoint: EndpointConfig | None = info.data.get("endpoint")
        if endpoint is None:
            return monitoring
        if broken := [rule for name in monitoring.watched if (rule := _uncaptured(endpoint, name)) is not None]:
            raise RulesBroken(*broken, field=info.field_name)
        return monitoring

    @field_validator("monitoring")
    @classmethod
    def _quality_fits_problem(cls, monitoring: MonitoringConfig, info: ValidationInfo) -> MonitoringConfig:
        problem: Problem | None = info.data.get("problem")
        if problem is None or monitoring.quality is None:
            return monitoring
        quality = fitted(monitoring.quality, problem)
        if broken := unfit(quality, problem):
            raise RulesBroken(broken, field=info.field_name)
        return monitoring.model_copy(update={"quality": quality})

    @field_validator("monitoring")
    @classmethod
    def _groups_are_features(cls, monitoring: MonitoringConfig, info: ValidationInfo) -> MonitoringConfig:
        features: FeaturesConfig | None = info.data.get("features")
        if monitoring.bias is None or features is None:
            return monitoring
        if broken := groups_problems(monitoring.bias, features.categorical, info.data.get("problem")):
            raise RulesBroken(*broken, field=info.field_name)
        return monitoring

    @field_validator("retraining")
    @classmethod
    def _drift_starts_retraining(cls, retraining: RetrainingConfig, info: ValidationInfo) -> RetrainingConfig:
        monitoring: MonitoringConfig | None = info.data.get("monitoring")
        if monitoring is not None and monitoring.drift is None and retraining.on_drift:
            fix = "set retraining.on_drift to false, or turn drift on"
            places = (
                ("retraining.on_drift", f"is true but monitoring.drift is null: {fix}"),
                ("monitoring.drift", f"is null but retraining.on_drift is true: {fix}"),
            )
            raise RulesBroken(Broken(places), field=info.field_name)
        return retraining

    @field_validator("retraining")
    @classmethod
    def _approval_fits_gate(cls, retraining: RetrainingConfig, info: ValidationInfo) -> RetrainingConfig:
        training: TrainingConfig | None = info.data.get("training")
        if training is None or retraining.auto_approve is None:
            return retraining
        if broken := list(auto_approve.unfit(retraining.auto_approve, training.gate)):
            raise RulesBroken(*broken, field=info.field_name)
        return retraining


def _uncaptured(endpoint: EndpointConfig, watched: str) -> Broken | None:
    """Why there is nothing for a part of `monitoring` to look at, if there is not."""
    if endpoint.not_monitored is not None:
        off = "`monitoring: {drift: null}` and `retraining: {on_drift: false}`"
        fix = f"write {off}" if watched == "drift" else f"remove monitoring.{watched}"
        message = f"is {endpoint.kind}: {endpoint.not_monitored}, so monitoring.{watched} has nothing to measure; {fix}"
        return Broken((("endpoint.kind", message),))
    if isinstance(endpoint, RealTimeEndpointConfig) and endpoint.capture.percent == 0:
        why = f"is 0 but monitoring.{watched} needs captured requests"
        return Broken((("endpoint.capture.percent", f"{why}: raise it, or write `{watched}: null` under monitoring"),))
    return None


def _gate_problem(gate: GateConfig, problem: Problem) -> Broken | None:
    if gate.metric not in METRICS[problem]:
        message = f"is {gate.metric} but the problem is {problem}: take {' or '.join(METRICS[problem])}"
        return Broken(
            (("training.gate.metric", message), ("problem", f"is {problem} but training.gate.metric {message}"))
        )
    if gate.higher_is_better and gate.maximum is not None:
        return Broken((("training.gate.maximum", f"is set but {gate.metric} is better when higher: use minimum"),))
    if not gate.higher_is_better and gate.minimum is not None:
        return Broken((("training.gate.minimum", f"is set but {gate.metric} is better when lower: use maximum"),))
    return None
