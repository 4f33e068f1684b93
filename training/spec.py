"""The job spec (docs/architecture.md): what to learn from which columns, and when the result is good enough."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from serving.contract import join_variable
from training.contract import HIGHER_IS_BETTER, METRICS, SPEC_VARIABLE, Problem
from training.errors import JobError

SPEC_SCHEMA_VERSION: Final = 1
_Section = TypeVar("_Section")


@dataclass(frozen=True)
class GateSpec:
    """What a model must reach on the test split: a bound, and the champion's value with a margin."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None
    champion_margin: float = 0.0


@dataclass(frozen=True)
class TrainingSpec:
    """The whole spec."""

    schema_version: int
    model: str
    problem: Problem
    label: str
    time: str
    gate: GateSpec
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    validation_days: int = 7
    test_days: int = 7
    threshold: float = 0.5

    @property
    def features(self) -> tuple[str, ...]:
        """The features, in the order of the signature's inputs."""
        return self.numeric + self.categorical

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "TrainingSpec":
        """Read the spec from its environment variable.

        Raises:
            JobError: it is not set, is not a JSON object, or breaks a rule.
        """
        text = join_variable(SPEC_VARIABLE, environment)
        if not text:
            raise JobError(f"the environment variable {SPEC_VARIABLE} is not set: it carries the job spec")
        try:
            document = json.loads(text)
        except ValueError as error:
            raise JobError(f"{SPEC_VARIABLE} is not JSON: {error}") from None
        return cls.parse(document)

    @classmethod
    def parse(cls, document: object) -> "TrainingSpec":
        """Check a spec.

        Raises:
            JobError: an unknown or absent key, a wrong type, an impossible value.
        """
        values = dict(_object(document, "the job spec"))
        if values.get("schema_version", SPEC_SCHEMA_VERSION) != SPEC_SCHEMA_VERSION:
            raise JobError(f"schema_version is {values['schema_version']!r}: this image reads {SPEC_SCHEMA_VERSION}")
        values["gate"] = _build(GateSpec, _object(values.get("gate"), "gate"), "gate.")
        for name in ("numeric", "categorical"):
            values[name] = _names(values.get(name, []), name)
        spec = _build(cls, values, "")
        _check(spec)
        return spec


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise JobError(f"{what} must be a JSON object, not {value!r:.60}")
    return value


def _names(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise JobError(f"{what} must be a list of column names, not {value!r:.60}")
    return tuple(value)


def _build(section: type[_Section], values: Mapping[str, Any], prefix: str) -> _Section:
    known = {one.name for one in fields(section)}  # type: ignore[arg-type] # every section here is a dataclass
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, 1)
            raise JobError(f"unknown key {prefix}{key}" + (f": did you mean {prefix}{near[0]}?" if near else ""))
    try:
        return section(**values)
    except TypeError as error:
        raise JobError(f"the job spec is incomplete: {str(error).partition(' ')[2]}") from None


def _check(spec: TrainingSpec) -> None:
    if spec.problem not in METRICS:
        raise JobError(f"problem is {spec.problem!r}: it must be one of {', '.join(METRICS)}")
    if not spec.features:
        raise JobError("numeric and categorical are both empty: a model needs a feature")
    columns = (*spec.features, spec.label, spec.time)
    if twice := next((name for name in columns if columns.count(name) > 1), None):
        raise JobError(f"the column {twice} is named twice among features, label and time")
    for name in ("validation_days", "test_days"):
        value = getattr(spec, name)
        if type(value) is not int or value < 1:
            raise JobError(f"{name} is {value!r}: it must be a whole number of days, at least 1")
    if not isinstance(spec.threshold, int | float) or not 0 <= spec.threshold <= 1:
        raise JobError(f"threshold is {spec.threshold!r}: it must be a number from 0 to 1")
    _object(spec.hyperparameters, "hyperparameters")
    _check_gate(spec.gate, spec.problem)


def _check_gate(gate: GateSpec, problem: Problem) -> None:
    if gate.metric not in METRICS[problem]:
        raise JobError(f"gate.metric is {gate.metric!r}: a {problem} has {', '.join(METRICS[problem])}")
    wrong = "maximum" if gate.metric in HIGHER_IS_BETTER else "minimum"
    if getattr(gate, wrong) is not None:
        better = "higher" if gate.metric in HIGHER_IS_BETTER else "lower"
        raise JobError(f"gate.{wrong} is set, but {gate.metric} is better when {better}")
    for name in ("minimum", "maximum", "champion_margin"):
        value = getattr(gate, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise JobError(f"gate.{name} is {value!r}: it must be a number")
