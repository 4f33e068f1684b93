"""References inside a pipeline definition: values that are known only when the pipeline runs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html. Terraform's tokens are opaque
strings here: they are carried, never parsed.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_pascal

EXECUTION_PROPERTIES: Final = (
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "StartDateTime",
)
_SPELLINGS: Final = {"json_get": "Std:JsonGet", "join": "Std:Join"}
_GET: Final = r"^(Parameters\.[\w-]+|Execution\.\w+|Steps\.[\w-]+\.[\w.\[\]'-]+)$"
_SEGMENT: Final = re.compile(r"\.?(?P<member>\w+)|\[(?P<index>\d+)\]|\['(?P<key>[^']*)'\]")


class Reference(BaseModel):
    """Something in place of a value."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: _SPELLINGS.get(name) or to_pascal(name),
        validate_by_name=True,
    )

    def to_json(self) -> dict[str, Any]:
        """The definition's form of it."""
        return self.model_dump(by_alias=True, mode="json")


class Get(Reference):
    """A parameter, a property of the execution, or of a step (`Steps.<step>.<what its Describe answers>`)."""

    get: Annotated[str, StringConstraints(pattern=_GET)]

    @classmethod
    def parameter(cls, name: str) -> Self:
        """A pipeline parameter's value."""
        return cls(get=f"Parameters.{name}")

    @classmethod
    def execution(cls, name: str) -> Self:
        """One of EXECUTION_PROPERTIES."""
        return cls(get=f"Execution.{name}")

    @classmethod
    def step(cls, step: str, path: str) -> Self:
        """A property of a step's job, such as `ModelArtifacts.S3ModelArtifacts`."""
        return cls(get=f"Steps.{step}.{path}")

    @classmethod
    def output(cls, step: str, output: str) -> Self:
        """The S3 URI of a processing step's output."""
        return cls.step(step, f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")

    @property
    def scope(self) -> str:
        """`Parameters`, `Execution` or `Steps`."""
        return self.get.split(".", 1)[0]

    @property
    def name(self) -> str:
        """The parameter's, the step's, or the execution property's name."""
        return self.get.split(".", 2)[1]

    @property
    def path(self) -> tuple[str | int, ...]:
        """Below a step: members and keys as text, positions in a list as numbers."""
        rest = self.get.split(".", 2)[2] if self.scope == "Steps" else ""
        return tuple(_segments(rest, self.get))


class PropertyFileValue(Reference):
    """What `Std:JsonGet` holds."""

    property_file: Get
    path: str = Field(min_length=1)


class JsonGet(Reference):
    """A value inside a JSON file that a processing step wrote."""

    json_get: PropertyFileValue

    @classmethod
    def of(cls, step: str, property_file: str, path: str) -> Self:
        """The value at the dotted `path` in a property file of `step`."""
        source = Get.step(step, f"PropertyFiles.{property_file}")
        return cls(json_get=PropertyFileValue(property_file=source, path=path))

    @property
    def path(self) -> tuple[str | int, ...]:
        """The way into the JSON document."""
        return tuple(_segments(self.json_get.path, self.json_get.path))


class JoinedValues(Reference):
    """What `Std:Join` holds."""

    on: str
    values: tuple[Any, ...]


class Join(Reference):
    """Values, each as text, with a separator between them."""

    join: JoinedValues

    @classmethod
    def of(cls, *values: Reference | str | float, on: str = "/") -> Self:
        """The values joined; with one value and any separator, that value as text."""
        return cls(join=JoinedValues(on=on, values=tuple(as_json(value) for value in values)))


_FORMS: Final[dict[str, type[Reference]]] = {"Get": Get, "Std:JsonGet": JsonGet, "Std:Join": Join}


def as_json(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """`node` with reference objects in the definition's form, and without keys that have no value."""
    if isinstance(node, Reference):
        return node.to_json()
    if isinstance(node, dict):
        return {key: as_json(value) for key, value in node.items() if value is not None}
    return [as_json(value) for value in node] if isinstance(node, list | tuple) else node


def parse(node: Any) -> Reference | None:  # noqa: ANN401 - any JSON
    """The reference that `node` is, or None if it is a plain value.

    Raises:
        ValueError: it looks like a reference but is malformed.
    """
    form = _FORMS.get(next(iter(node))) if isinstance(node, dict) and len(node) == 1 else None
    try:
        return form.model_validate(node) if form else None
    except ValidationError as error:
        raise ValueError(f"{node} is not a reference: {error.errors()[0]['msg']}") from None


def find(node: Any) -> Iterator[Reference]:  # noqa: ANN401 - any JSON
    """Every reference in `node`, those inside a Join too."""
    reference = parse(node)
    if reference is not None:
        yield reference
    for child in _children(node, reference):
        yield from find(child)


def _children(node: Any, reference: Reference | None) -> list[Any]:  # noqa: ANN401 - any JSON
    if isinstance(reference, Join):
        return list(reference.join.values)
    if reference is not None:
        return []
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _segments(text: str, whole: str) -> Iterator[str | int]:
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise ValueError(f"{whole} is not a path: it goes wrong at {text[position:]!r}")
        yield int(match["index"]) if match["index"] is not None else match["key"] or match["member"]
        position = match.end()
