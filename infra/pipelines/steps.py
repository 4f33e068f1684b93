"""The step types in use, as they stand in a pipeline definition (version 2020-12-01).

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

from infra.pipelines.references import as_json

Value = Annotated[Any, BeforeValidator(as_json)]
"""A literal, or a reference in place of one."""
Arguments = Annotated[dict[str, Any], BeforeValidator(as_json)]
"""A request of SageMaker's API, with references in place of values known only at run time."""
StepName = Annotated[str, Field(pattern=r"^[A-Za-z0-9](-*[A-Za-z0-9])*$", max_length=256)]


class Part(BaseModel):
    """A part of the definition: frozen, spelled as AWS spells it, and refusing keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_pascal, validate_by_name=True)


class PropertyFile(Part):
    """A JSON file in a processing step's output that conditions and later steps read."""

    property_file_name: str
    output_name: str
    file_path: str


class RetryPolicy(Part):
    """When a step is tried again: IntervalSeconds before the first retry, times BackoffRate for each further one.

    Retries end after MaxAttempts of them, or ExpireAfterMin minutes after the step began.
    """

    exception_type: tuple[
        Literal[
            "Step.SERVICE_FAULT",
            "Step.THROTTLING",
            "SageMaker.JOB_INTERNAL_ERROR",
            "SageMaker.CAPACITY_ERROR",
            "SageMaker.RESOURCE_LIMIT",
        ],
        ...,
    ]
    interval_seconds: int = Field(default=1, ge=1)
    backoff_rate: float = Field(default=2.0, ge=1)
    max_attempts: int | None = Field(default=None, ge=1, le=20)
    expire_after_min: int | None = Field(default=None, ge=1, le=14_400)

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.max_attempts is None and self.expire_after_min is None:
            raise ValueError("a retry policy needs MaxAttempts or ExpireAfterMin")
        return self


class CacheConfig(Part):
    """Whether an earlier execution's result may stand in for the step."""

    enabled: bool
    expire_after: str | None = None


class StepBase(Part):
    """What every step has."""

    name: StepName
    display_name: str | None = None
    description: str | None = None
    depends_on: tuple[str, ...] | None = None


class JobStep(StepBase):
    """A step that sends its Arguments to SageMaker."""

    arguments: Arguments
    retry_policies: tuple[RetryPolicy, ...] | None = None


class ProcessingStep(JobStep):
    """CreateProcessingJob."""

    type: Literal["Processing"] = "Processing"
    property_files: tuple[PropertyFile, ...] | None = None
    cache_config: CacheConfig | None = None

    @property
    def output_names(self) -> list[str]:
        """The outputs that property files and later steps can name."""
        return [output["OutputName"] for output in self.arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])]


class TrainingStep(JobStep):
    """CreateTrainingJob."""

    type: Literal["Training"] = "Training"
    cache_config: CacheConfig | None = None


class RegisterModelStep(JobStep):
    """CreateModelPackage."""

    type: Literal["RegisterModel"] = "RegisterModel"


class FailArguments(Part):
    """Why the execution is stopped."""

    error_message: Value


class FailStep(StepBase):
    """Ends the execution as failed."""

    type: Literal["Fail"] = "Fail"
    arguments: FailArguments


class Comparison(Part):
    """Two values compared."""

    type: Literal["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
    left_value: Value
    right_value: Value


class In(Part):
    """Whether a value is one of several."""

    type: Literal["In"] = "In"
    query_value: Value
    values: Annotated[tuple[Any, ...], BeforeValidator(as_json)]


class Not(Part):
    """A condition turned round."""

    type: Literal["Not"] = "Not"
    condition: "Condition"


class Or(Part):
    """Whether any of several conditions holds."""

    type: Literal["Or"] = "Or"
    conditions: tuple["Condition", ...] = Field(min_length=1)


Condition = Annotated[Comparison | In | Not | Or, Field(discriminator="type")]


class ConditionArguments(Part):
    """All conditions must hold for IfSteps to run; ElseSteps run otherwise."""

    conditions: tuple[Condition, ...] = Field(min_length=1)
    if_steps: tuple["Step", ...] = ()
    else_steps: tuple["Step", ...] = ()


class ConditionStep(StepBase):
    """Chooses between two branches."""

    type: Literal["Condition"] = "Condition"
    arguments: ConditionArguments

    def branch(self, outcome: bool) -> tuple["Step", ...]:  # noqa: FBT001 - the outcome is the one thing to say
        """The steps that run on this outcome."""
        return self.arguments.if_steps if outcome else self.arguments.else_steps


Step = Annotated[
    ProcessingStep | TrainingStep | RegisterModelStep | ConditionStep | FailStep, Field(discriminator="type")
]
ConditionArguments.model_rebuild()
ConditionStep.model_rebuild()


def flatten(steps: tuple["Step", ...]) -> Iterator["Step"]:
    """Steps, and those inside their branches."""
    for step in steps:
        yield step
        if isinstance(step, ConditionStep):
            yield from flatten(step.branch(outcome=True) + step.branch(outcome=False))
