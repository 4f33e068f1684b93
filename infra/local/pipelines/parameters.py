"""The values an execution's parameters have: what the caller chose, held against the definition, and the defaults."""

from collections.abc import Mapping
from difflib import get_close_matches

from infra.local.validation import ValidationException
from infra.pipelines import Parameter, PipelineDefinition

Scalar = str | int | float | bool


def values(definition: PipelineDefinition, given: Mapping[str, str]) -> dict[str, Scalar]:
    """The value of every parameter.

    Raises:
        ValidationException: a parameter is unknown, missing, of the wrong type, or none of its choices.
    """
    known = [parameter.name for parameter in definition.parameters]
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the pipeline has {', '.join(known) or 'none'}."
            raise ValidationException(f"Unknown pipeline parameter {name}: {hint}")
    return {parameter.name: _value(parameter, given.get(parameter.name)) for parameter in definition.parameters}


def _value(parameter: Parameter, given: str | None) -> Scalar:
    if given is None:
        if parameter.default_value is None:
            raise ValidationException(f"The pipeline parameter {parameter.name} has no default: give it a value.")
        return parameter.default_value
    if parameter.enum_values is not None and given not in parameter.enum_values:
        choices = ", ".join(parameter.enum_values)
        raise ValidationException(f"The pipeline parameter {parameter.name} is '{given}' but must be one of {choices}.")
    try:
        return _converted(given, parameter.type)
    except ValueError:
        raise ValidationException(
            f"The pipeline parameter {parameter.name} is '{given}', which is no {parameter.type}."
        ) from None


def _converted(text: str, type_: str) -> Scalar:
    match type_:
        case "Boolean":
            return ("false", "true").index(text.lower()) == 1
        case "Integer":
            return int(text)
        case "Float":
            return float(text)
    return text
