"""A whole pipeline definition: parameters, steps, and whether every reference in it leads somewhere."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from infra.errors import UserError
from infra.pipelines.references import EXECUTION_PROPERTIES, Get, JsonGet, find
from infra.pipelines.steps import ConditionStep, Part, ProcessingStep, Step, StepBase, flatten

VERSION: Final = "2020-12-01"
MAX_CHARACTERS: Final = 1_048_576


class InvalidDefinition(UserError):  # noqa: N818 - what it is, not that it is an error
    """A pipeline definition that SageMaker would refuse; the message lists everything wrong with it."""


class Parameter(Part):
    """A value that whoever starts the pipeline may choose."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")
    type: Literal["String", "Integer", "Float", "Boolean"] = "String"
    default_value: str | int | float | bool | None = None
    enum_values: tuple[str, ...] | None = None


class PipelineDefinition(Part):
    """What CreatePipeline takes as PipelineDefinition.

    Raises:
        InvalidDefinition: duplicate names, a reference to what does not exist, or steps that wait for each other.
    """

    version: Literal["2020-12-01"] = VERSION
    metadata: dict[str, Any] | None = None
    parameters: tuple[Parameter, ...] = ()
    pipeline_experiment_config: dict[str, Any] | None = None
    steps: tuple[Step, ...] = Field(min_length=1)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The definition that `text` spells.

        Raises:
            InvalidDefinition: it is not JSON, not of this version, has unknown step types or keys, or does not hang
                together.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InvalidDefinition(_listed(_told(problem) for problem in error.errors())) from None

    def to_json(self) -> str:
        """Canonical JSON: the same definition, the same text.

        Raises:
            InvalidDefinition: longer than SageMaker takes.
        """
        document = self.model_dump(by_alias=True, exclude_none=True, mode="json")
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if len(text) > MAX_CHARACTERS:
            raise InvalidDefinition(f"the definition has {len(text):,} characters; SageMaker takes {MAX_CHARACTERS:,}")
        return text

    def all_steps(self) -> dict[str, Step]:
        """Every step by name, those inside branches too."""
        return {step.name: step for step in flatten(self.steps)}

    def graph(self) -> dict[str, set[str]]:
        """What each step waits for: DependsOn, the steps it refers to, and the condition whose branch it is in."""
        waits = {
            name: set(step.depends_on or ()) | set(_referred_steps(step)) for name, step in self.all_steps().items()
        }
        for step in self.all_steps().values():
            if isinstance(step, ConditionStep):
                for child in step.arguments.if_steps + step.arguments.else_steps:
                    waits[child.name].add(step.name)
        return waits

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        problems = [*self._duplicates(), *self._dangling()]
        if not problems:
            problems = list(self._cycles())
        if problems:
            raise InvalidDefinition(_listed(problems))
        return self

    def _duplicates(self) -> Iterator[str]:
        steps = [step.name for step in flatten(self.steps)]
        yield from (f"two steps are named {name}" for name in sorted({n for n in steps if steps.count(n) > 1}))
        names = [parameter.name for parameter in self.parameters]
        yield from (f"two parameters are named {name}" for name in sorted({n for n in names if names.count(n) > 1}))

    def _dangling(self) -> Iterator[str]:
        for name, step in self.all_steps().items():
            for other in step.depends_on or ():
                yield from _unless_known(f"step {name}: DependsOn", other, self.all_steps(), "step")
            if isinstance(step, ProcessingStep):
                for file in step.property_files or ():
                    where = f"step {name}: property file {file.property_file_name}"
                    yield from _unless_known(where, file.output_name, step.output_names, "output")
            try:
                yield from (
                    problem for reference in find(_own(step)) for problem in self._leads_nowhere(name, reference)
                )
            except ValueError as error:
                yield f"step {name}: {error}"

    def _leads_nowhere(self, name: str, reference: object) -> Iterator[str]:
        where = f"step {name}"
        if isinstance(reference, JsonGet):
            yield from self._not_a_property_file(where, reference.json_get.property_file)
        if not isinstance(reference, Get):
            return
        if reference.scope == "Parameters":
            yield from _unless_known(where, reference.name, [p.name for p in self.parameters], "parameter")
        elif reference.scope == "Execution":
            yield from _unless_known(where, reference.name, EXECUTION_PROPERTIES, "execution property")
        else:
            yield from _unless_known(where, reference.name, self.all_steps(), "step")
            yield from self._not_an_output(where, reference)

    def _not_a_property_file(self, where: str, source: Get) -> Iterator[str]:
        step = self.all_steps().get(source.name)
        if source.scope != "Steps" or source.path[:1] != ("PropertyFiles",):
            yield f"{where}: JsonGet reads a property file (Steps.<step>.PropertyFiles.<name>), not {source.get}"
        elif not isinstance(step, ProcessingStep):
            yield from _unless_known(where, source.name, self._with_property_files(), "step with property files")
        else:
            files = [file.property_file_name for file in step.property_files or ()]
            yield from _unless_known(f"{where}: {source.name}", str(source.path[-1]), files, "property file")

    def _with_property_files(self) -> list[str]:
        return [step.name for step in flatten(self.steps) if isinstance(step, ProcessingStep) and step.property_files]

    def _not_an_output(self, where: str, reference: Get) -> Iterator[str]:
        step, path = self.all_steps().get(reference.name), reference.path
        if isinstance(step, ProcessingStep) and path[:2] == ("ProcessingOutputConfig", "Outputs") and len(path) > 2:  # noqa: PLR2004 - the third is the output's name
            yield from _unless_known(f"{where}: {reference.name}", path[2], step.output_names, "output")

    def _cycles(self) -> Iterator[str]:
        try:
            TopologicalSorter(self.graph()).prepare()
        except CycleError as error:
            yield f"steps wait for each other: {' -> '.join(reversed(error.args[1]))}"


def _own(step: StepBase) -> Any:  # noqa: ANN401 - any JSON
    """A step's arguments without the steps in its branches, which speak for themselves."""
    document = step.model_dump(by_alias=True, exclude_none=True, mode="json")["Arguments"]
    return document["Conditions"] if isinstance(step, ConditionStep) else document


def _referred_steps(step: StepBase) -> Iterator[str]:
    for reference in find(_own(step)):
        source = reference.json_get.property_file if isinstance(reference, JsonGet) else reference
        if isinstance(source, Get) and source.scope == "Steps":
            yield source.name


def _unless_known(where: str, name: object, known: Any, kind: str) -> Iterator[str]:  # noqa: ANN401 - any container
    if name not in known:
        close = get_close_matches(str(name), [str(k) for k in known], n=1)
        yield f"{where}: there is no {kind} {name}" + (f"; did you mean {close[0]}?" if close else "")


def _told(problem: Any) -> str:  # noqa: ANN401 - pydantic's error details
    path = ".".join(str(part) for part in problem["loc"])
    return f"{path}: {problem['msg']}" if path else str(problem["msg"])


def _listed(problems: Iterator[str] | list[str]) -> str:
    return "the pipeline definition is not valid: " + "; ".join(problems)
