"""Transform jobs: what is asked of one, and what is told of it.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, ClassVar, Self

from botocore.exceptions import ClientError

from infra.local.engine import Container
from infra.local.jobs.job import Job, present, refuse_several_instances, require
from infra.local.jobs.json_path import PathError
from infra.local.jobs.transform_records import DataProcessing, Splitting
from infra.local.validation import Json, ValidationException

UNSUPPORTED = ("DataCaptureConfig", "ExperimentConfig")
DEFAULT_PAYLOAD_MB = 6
MOST_IN_FLIGHT_MB = 100
"""MaxConcurrentTransforms x MaxPayloadInMB may not exceed this."""
VARIABLES = {
    "MaxConcurrentTransforms": "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS",
    "BatchStrategy": "SAGEMAKER_BATCH_STRATEGY",
    "MaxPayloadInMB": "SAGEMAKER_MAX_PAYLOAD_IN_MB",
}
STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
"""As containers read and write them."""


@dataclass(frozen=True)
class Settings:
    """How a job asks its model: what the request says, else what the container says, else AWS's defaults."""

    splitting: Splitting
    concurrent: int
    timeout_seconds: float
    retries: int

    @classmethod
    def of(cls, request: Json, execution_parameters: Json) -> Self:
        """Settle them.

        Args:
            request: CreateTransformJob's.
            execution_parameters: The container's answer to /execution-parameters; empty if it has none.
        """
        given = execution_parameters | {name: request[name] for name in VARIABLES if name in request}
        strategy = given.get("BatchStrategy", "MultiRecord")
        by_line = request["TransformInput"].get("SplitType", "None") == "Line"
        client = request.get("ModelClientConfig", {})
        return cls(
            Splitting(by_line, strategy in {"MultiRecord", STRATEGIES["MultiRecord"]}, _payload_mb(given)),
            given.get("MaxConcurrentTransforms") or 1,
            client.get("InvocationsTimeoutInSeconds", 600),
            client.get("InvocationsMaxRetries", 0),
        )


@dataclass
class TransformJob(Job):
    """A transform job and its state."""

    kind: ClassVar[str] = "TransformJob"
    resource: ClassVar[str] = "transform-job"
    event: ClassVar[str] = "SageMaker Transform Job State Change"
    running: ClassVar[str] = "Transforming"

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_unsupported(self.request)
        try:
            self.processing = DataProcessing.of(self.request.get("DataProcessing", {}))
        except PathError as error:
            raise ValidationException(f"DataProcessing: {error}.") from error

    @classmethod
    def check(cls, request: Json, sagemaker: Any) -> None:  # noqa: ANN401 - a boto3 client
        """Refuse a job of a model that there is not."""
        try:
            sagemaker.describe_model(ModelName=request["ModelName"])
        except ClientError as error:
            raise ValidationException(f'Could not find model "{request["ModelName"]}".') from error

    @classmethod
    def role_of(cls, request: Json, sagemaker: Any) -> str:  # noqa: ANN401 - a boto3 client
        """The role of its model."""
        return str(sagemaker.describe_model(ModelName=request["ModelName"])["ExecutionRoleArn"])

    def describe(self) -> Json:
        """The answer of DescribeTransformJob."""
        request = {name: value for name, value in self.request.items() if name != "Tags"}
        return request | present(
            TransformJobArn=self.arn,
            TransformJobStatus=self.status,
            FailureReason=self.failure_reason,
            CreationTime=self.creation_time,
            TransformStartTime=self.start_time,
            TransformEndTime=self.end_time,
        )

    def summary(self) -> Json:
        """Its row in ListTransformJobs."""
        return super().summary() | present(FailureReason=self.failure_reason)

    def settings(self, status: int, execution_parameters: Any) -> Settings:  # noqa: ANN401 - whatever JSON it is
        """How to ask the model, from what its container answered to /execution-parameters."""
        is_told = status == HTTPStatus.OK and isinstance(execution_parameters, dict)
        return Settings.of(self.request, execution_parameters if is_told else {})

    def container(self, container: Container) -> Container:
        """One of the model's containers, told what a batch is."""
        told = {variable: str(self.request[name]) for name, variable in VARIABLES.items() if name in self.request}
        if "BatchStrategy" in self.request:
            told[VARIABLES["BatchStrategy"]] = STRATEGIES[self.request["BatchStrategy"]]
        given = self.request.get("Environment", {})
        return replace(container, environment={**container.environment, **told, "SAGEMAKER_BATCH": "true", **given})


def refuse_unsupported(request: Json) -> None:
    """Refuse what cannot be run here, rather than run something else.

    Raises:
        UnsupportedOperation: it would work on AWS.
        ValidationException: it would not.
    """
    refuse_several_instances(request["TransformResources"])
    for member in UNSUPPORTED:
        require(member not in request, member)
    given = request["TransformInput"]
    kind, split = given["DataSource"]["S3DataSource"]["S3DataType"], given.get("SplitType", "None")
    require(kind == "S3Prefix", f"TransformInput of S3DataType {kind}; use S3Prefix")
    require(split in {"None", "Line"}, f"TransformInput of SplitType {split}; use Line or None")
    in_flight = request.get("MaxConcurrentTransforms", 1) * request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    if in_flight > MOST_IN_FLIGHT_MB:
        raise ValidationException(
            f"MaxConcurrentTransforms x MaxPayloadInMB is {in_flight} MB; it may not exceed {MOST_IN_FLIGHT_MB} MB."
        )


def _payload_mb(given: Json) -> int:
    value: int = given.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    return value
