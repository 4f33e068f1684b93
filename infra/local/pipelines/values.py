"""References resolved while a pipeline runs, and conditions decided."""

import json
import operator
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from infra.local.pipelines.execution import Execution
from infra.pipelines.references import Get, Join, JsonGet, parse
from infra.pipelines.steps import Condition, In, Not, Or, ProcessingStep

_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


class Unresolvable(ValueError):  # noqa: N818 - what the reference is
    """A reference that leads nowhere in this execution, or values that cannot be compared."""


class Values:
    """What an execution's references stand for."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def resolve(self, node: Any) -> Any:  # noqa: ANN401 - any JSON
        """`node` with a value in place of every reference.

        Raises:
            Unresolvable: one leads nowhere.
        """
        match parse(node):
            case Get() as reference:
                return self._get(reference)
            case JsonGet() as reference:
                return self._json_get(reference)
            case Join() as reference:
                return reference.join.on.join(_text(self.resolve(value)) for value in reference.join.values)
        if isinstance(node, dict):
            return {key: self.resolve(value) for key, value in node.items()}
        return [self.resolve(value) for value in node] if isinstance(node, list) else node

    def holds(self, condition: Condition) -> bool:
        """Whether a condition is true.

        Raises:
            Unresolvable: a value is missing, or two cannot be compared.
        """
        match condition:
            case Not(condition=inner):
                return not self.holds(inner)
            case Or(conditions=several):
                return any(map(self.holds, several))
            case In(query_value=query, values=values):
                return any(_equal(self.resolve(query), self.resolve(value)) for value in values)
        left, right = self.resolve(condition.left_value), self.resolve(condition.right_value)
        if condition.type == "Equals":
            return _equal(left, right)
        if not (_is_number(left) and _is_number(right)):
            raise Unresolvable(f"{condition.type} compares numbers, not {left!r} and {right!r}")
        return _COMPARISONS[condition.type](left, right)

    def _get(self, reference: Get) -> Any:  # noqa: ANN401 - any JSON
        if reference.scope == "Parameters":
            return self._execution.start.parameters[reference.name]
        if reference.scope == "Execution":
            return self._execution.properties[reference.name]
        return _walk(self._execution.runs[reference.name].properties, reference.path, reference.get)

    def _json_get(self, reference: JsonGet) -> Any:  # noqa: ANN401 - any JSON
        source = reference.json_get.property_file
        step = self._execution.start.definition.all_steps()[source.name]
        if not isinstance(step, ProcessingStep):
            raise Unresolvable(f"{source.name} is not a processing step")
        file = next(f for f in step.property_files or () if f.property_file_name == source.path[-1])
        folder = self._get(Get.output(source.name, file.output_name))
        return _walk(self._read(f"{folder.rstrip('/')}/{file.file_path}"), reference.path, reference.json_get.path)

    def _read(self, uri: str) -> Any:  # noqa: ANN401 - any JSON
        place, s3 = urlsplit(uri), self._execution.start.role.client("s3")
        try:
            body = s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
            return json.loads(body)
        except ClientError as error:
            raise Unresolvable(f"the property file {uri} cannot be read: {error}") from error
        except ValueError as error:
            raise Unresolvable(f"the property file {uri} is not JSON: {error}") from error


def _walk(node: Any, path: tuple[str | int, ...], whole: str) -> Any:  # noqa: ANN401 - any JSON
    for part in path:
        found = _named(node, part) if isinstance(node, list) and isinstance(part, str) else _member(node, part)
        if found is None:
            raise Unresolvable(f"{whole} has no value: there is no {part!r}")
        node = found
    return node


def _member(node: Any, part: str | int) -> Any:  # noqa: ANN401 - any JSON
    try:
        return node[part]
    except (KeyError, IndexError, TypeError):
        return None


def _named(rows: list[Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    """The row of a list that is called `name`, as in `Outputs['train']`."""
    return next((row for row in rows if any(k.endswith("Name") and v == name for k, v in row.items())), None)


def _text(value: Any) -> str:  # noqa: ANN401 - any scalar
    return value if isinstance(value, str) else json.dumps(value)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any scalar
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:  # noqa: ANN401 - any scalar
    """Values of different kinds are not equal: `true` is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
