"""Each step's Arguments against SageMaker's service model: unknown and missing members, types, limits, choices.

References stand for values of their type: a Join for text, a parameter for its declared type, anything else for any
value. Strings with a Terraform token are opaque: their length and form are known only after the apply.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from infra.pipelines.definition import InvalidDefinition, PipelineDefinition
from infra.pipelines.references import Get, Join, Reference, parse
from infra.pipelines.service_model import Shape, compiled, input_shape, shape
from infra.pipelines.steps import JobStep

OPERATIONS: Final = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "RegisterModel": "CreateModelPackage",
}
"""What SageMaker calls for a step of each type."""
NAMED_BY_SAGEMAKER: Final = frozenset({"ProcessingJobName", "TrainingJobName"})
"""Required members that a pipeline fills in itself."""
_TOKEN: Final = "${"  # noqa: S105 - the start of a Terraform token
_KINDS: Final[dict[str, tuple[str, tuple[type, ...], tuple[str, ...]]]] = {
    "string": ("text", (str,), ("String",)),
    "boolean": ("true or false", (bool,), ("Boolean",)),
    "integer": ("a whole number", (int,), ("Integer",)),
    "long": ("a whole number", (int,), ("Integer",)),
    "float": ("a number", (int, float), ("Integer", "Float")),
    "double": ("a number", (int, float), ("Integer", "Float")),
    "structure": ("an object", (dict,), ()),
    "map": ("an object", (dict,), ()),
    "list": ("a list", (list,), ()),
}
"""By the service model's type: what it is called, Python's types for it, the parameter types that fit."""
_UNITS: Final = {"string": "characters", "list": "items", "map": "keys"}


def check_steps(definition: PipelineDefinition) -> None:
    """Hold every step's Arguments against the request they become.

    Raises:
        InvalidDefinition: listing each problem with its step, path, value and rule.
    """
    types = {parameter.name: parameter.type for parameter in definition.parameters}
    problems = [
        f"step {step.name}: {problem}"
        for step in definition.all_steps().values()
        if isinstance(step, JobStep)
        for problem in problems_of(OPERATIONS[step.type], step.arguments, types=types, given=NAMED_BY_SAGEMAKER)
    ]
    if problems:
        raise InvalidDefinition("the pipeline definition is not valid: " + "; ".join(problems))


def check_request(operation: str, request: dict[str, Any]) -> None:
    """Hold one whole request against the service model.

    Raises:
        InvalidDefinition: listing each problem with its path, value and rule.
    """
    if problems := list(problems_of(operation, request)):
        raise InvalidDefinition(f"the {operation} request is not valid: " + "; ".join(problems))


def problems_of(
    operation: str,
    request: Any,  # noqa: ANN401 - any JSON
    *,
    types: Mapping[str, str] | None = None,
    given: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """What SageMaker would refuse in a request: `types` are the parameters', `given` members may be missing."""
    yield from _Validator(types or {}, given).check(input_shape(operation), request, "")


@dataclass(frozen=True)
class _Validator:
    types: Mapping[str, str]
    given: frozenset[str] = field(default_factory=frozenset)

    def check(self, name: str, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        rules = shape(name)
        expected, types, parameter_types = _KINDS.get(rules["type"], ("a value", (object,), ()))
        if (reference := parse(value)) is not None:
            yield from self._check_reference(reference, expected, parameter_types, path)
        elif not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield f"{path or 'the request'} is {value!r} but must be {expected}"
        else:
            yield from _limits(rules, value, path)
            yield from self._children(rules, value, path)

    def _check_reference(
        self, reference: Reference, expected: str, allowed: tuple[str, ...], path: str
    ) -> Iterator[str]:
        kind = "String" if isinstance(reference, Join) else None
        if isinstance(reference, Get) and reference.scope == "Parameters":
            kind = self.types.get(reference.name)
        if not allowed or (kind is not None and kind not in allowed):
            yield f"{path} is {reference.to_json()} but must be {expected}"

    def _children(self, rules: Shape, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if rules["type"] == "structure":
            yield from self._members(rules, value, path)
        elif rules["type"] == "map":
            for key, item in value.items():
                yield from self.check(rules["key"]["shape"], key, f"{path} key")
                yield from self.check(rules["value"]["shape"], item, f"{path}.{key}")
        elif rules["type"] == "list":
            for number, item in enumerate(value):
                yield from self.check(rules["member"]["shape"], item, f"{path}[{number}]")

    def _members(self, rules: Shape, value: dict[str, Any], path: str) -> Iterator[str]:
        prefix = f"{path}." if path else ""
        for missing in rules.get("required", []):
            if missing not in value and missing not in self.given:
                yield f"{prefix}{missing} is missing"
        for key, item in value.items():
            if key in rules["members"]:
                yield from self.check(rules["members"][key]["shape"], item, f"{prefix}{key}")
            else:
                close = get_close_matches(key, rules["members"], n=1)
                yield f"{prefix}{key} is not known" + (f"; did you mean {close[0]}?" if close else "")


def _limits(rules: Shape, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, str) and _TOKEN in value:
        return
    unit = _UNITS.get(rules["type"])
    size, said = (len(value), f"has {len(value)} {unit}") if unit else (value, f"is {value}")
    if "min" in rules and size < rules["min"]:
        yield f"{path} {said} but the least is {rules['min']}"
    if "max" in rules and size > rules["max"]:
        yield f"{path} {said} but the most is {rules['max']}"
    if "enum" in rules and value not in rules["enum"]:
        close = get_close_matches(value, rules["enum"], n=1)
        yield f"{path} is {value!r}, which SageMaker does not know" + (f"; did you mean {close[0]}?" if close else "")
    pattern = compiled(rules["pattern"]) if "pattern" in rules else None
    if pattern is not None and not pattern.fullmatch(value):
        yield f"{path} is {value!r}, which does not match {rules['pattern']}"
