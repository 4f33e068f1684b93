"""The training pipeline of one model: validate, prepare, train, evaluate, baseline, then register or reject."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from infra.config import ModelConfig
from infra.naming import ModelNames
from infra.pipelines import registration
from infra.pipelines.definition import Parameter, PipelineDefinition
from infra.pipelines.job_spec import monitoring_environment, monitoring_spec, training_environment, training_spec
from infra.pipelines.names import (
    BASELINE_STEP,
    DATA_URI_PARAMETER,
    EVALUATE_STEP,
    EVALUATION,
    GATE_STEP,
    PREPARE_STEP,
    PREPARED,
    REGISTER_STEP,
    REJECT_STEP,
    TRAIN_STEP,
    VALIDATE_STEP,
)
from infra.pipelines.processing import Machine, Uri, VpcConfig, channel_name, processing_request
from infra.pipelines.references import Get, Join, JsonGet
from infra.pipelines.steps import (
    Comparison,
    ConditionArguments,
    ConditionStep,
    FailArguments,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    RetryPolicy,
    TrainingStep,
)
from infra.pipelines.validator import check_steps
from monitoring import contract as monitoring
from training import contract as training

RETRIES: Final = (
    RetryPolicy(
        exception_type=("Step.SERVICE_FAULT", "Step.THROTTLING"), interval_seconds=5, backoff_rate=2.0, max_attempts=4
    ),
    RetryPolicy(
        exception_type=("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"),
        interval_seconds=60,
        backoff_rate=2.0,
        max_attempts=3,
    ),
)
"""The service's faults are worth another try; a job that failed by itself is not."""


@dataclass(frozen=True)
class Images:
    """URIs of the three images."""

    training: str
    serving: str
    monitoring: str


def model_pipeline(
    model: ModelConfig,
    names: ModelNames,
    *,
    images: Images,
    role_arn: str,
    champion: str | None,
    kms_key: str | None,
    vpc_config: VpcConfig | None = None,
) -> PipelineDefinition:
    """The pipeline that docs/architecture.md describes ("The pipeline").

    Args:
        model: The model.
        names: Its names in one environment.
        images: URIs of the images its jobs run.
        role_arn: The role its jobs have.
        champion: `model_data_url` of the live release, which a new model has to beat; None if nothing is live.
        kms_key: What volumes and outputs are encrypted with; None for the account's default.
        vpc_config: The network that the jobs' files move in; None for SageMaker's own.

    Raises:
        InvalidDefinition: SageMaker would refuse it.
    """
    definition = _Builder(model, names, images, role_arn, champion, kms_key, vpc_config).definition()
    check_steps(definition)
    return definition


@dataclass(frozen=True)
class _Builder:
    model: ModelConfig
    names: ModelNames
    images: Images
    role_arn: str
    champion: str | None
    kms_key: str | None
    vpc_config: VpcConfig | None

    def definition(self) -> PipelineDefinition:
        return PipelineDefinition(
            parameters=(
                Parameter(name=DATA_URI_PARAMETER, default_value=self.names.data_uri),
                Parameter(
                    name=monitoring.STARTED_BY_PARAMETER, default_value="person", enum_values=monitoring.STARTED_BY
                ),
            ),
            steps=(self._validate(), self._prepare(), self._train(), self._evaluate(), self._baseline(), self._gate()),
        )

    def _validate(self) -> ProcessingStep:
        return self._processing(
            VALIDATE_STEP,
            image=self.images.monitoring,
            command=monitoring.VALIDATE_COMMAND,
            inputs={monitoring.DATA_INPUT: Get.parameter(DATA_URI_PARAMETER)},
            outputs=[monitoring.VALIDATION_OUTPUT],
        )

    def _prepare(self) -> ProcessingStep:
        return self._processing(
            PREPARE_STEP,
            image=self.images.training,
            command=training.PREPARE_COMMAND,
            inputs={training.DATA_INPUT: Get.parameter(DATA_URI_PARAMETER)},
            outputs=[
                training.TRAIN_OUTPUT,
                training.VALIDATION_OUTPUT,
                training.TEST_OUTPUT,
                training.PREPARED_OUTPUT,
            ],
            property_file=(PREPARED, training.PREPARED_OUTPUT, training.PREPARED_FILE),
            depends_on=(VALIDATE_STEP,),
        )

    def _train(self) -> TrainingStep:
        config = self.model.training
        return TrainingStep(
            name=TRAIN_STEP,
            retry_policies=RETRIES,
            arguments={
                "AlgorithmSpecification": {
                    "TrainingImage": self.images.training,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": n, "Regex": pattern} for n, pattern in training.METRIC_PATTERNS],
                },
                "EnableNetworkIsolation": True,
                "Environment": training_environment(training_spec(self.model)),
                "HyperParameters": {name: _text(value) for name, value in config.hyperparameters.items()} or None,
                "InputDataConfig": [
                    _channel(training.TRAIN_CHANNEL, Get.output(PREPARE_STEP, channel_name(training.TRAIN_OUTPUT))),
                    _channel(
                        training.VALIDATION_CHANNEL, Get.output(PREPARE_STEP, channel_name(training.VALIDATION_OUTPUT))
                    ),
                ],
                "OutputDataConfig": {"S3OutputPath": self._folder(TRAIN_STEP), "KmsKeyId": self.kms_key},
                "ResourceConfig": self._machine.cluster(),
                "RoleArn": self.role_arn,
                "VpcConfig": self.vpc_config,
                "StoppingCondition": {"MaxRuntimeInSeconds": config.max_runtime_minutes * 60},
            },
        )

    def _evaluate(self) -> ProcessingStep:
        inputs: dict[str, Uri] = {
            training.MODEL_INPUT: registration.MODEL_DATA,
            training.TEST_INPUT: Get.output(PREPARE_STEP, channel_name(training.TEST_OUTPUT)),
            training.PREPARED_INPUT: Get.output(PREPARE_STEP, channel_name(training.PREPARED_OUTPUT)),
        }
        if self.champion is not None:
            inputs[training.CHAMPION_INPUT] = self.champion
        return self._processing(
            EVALUATE_STEP,
            image=self.images.training,
            command=training.EVALUATE_COMMAND,
            inputs=inputs,
            outputs=[training.EVALUATION_OUTPUT],
            property_file=(EVALUATION, training.EVALUATION_OUTPUT, training.EVALUATION_FILE),
        )

    def _baseline(self) -> ProcessingStep:
        return self._processing(
            BASELINE_STEP,
            image=self.images.monitoring,
            command=monitoring.BASELINE_COMMAND,
            inputs={
                monitoring.DATA_INPUT: Get.output(PREPARE_STEP, channel_name(training.TRAIN_OUTPUT)),
                monitoring.MODEL_INPUT: registration.MODEL_DATA,
            },
            outputs=[monitoring.BASELINE_OUTPUT],
        )

    def _gate(self) -> ConditionStep:
        passed = JsonGet.of(EVALUATE_STEP, EVALUATION, "gate.passed")
        reason = JsonGet.of(EVALUATE_STEP, EVALUATION, "gate.reason")
        return ConditionStep(
            name=GATE_STEP,
            arguments=ConditionArguments(
                conditions=(Comparison(type="Equals", left_value=passed, right_value=True),),
                if_steps=(
                    RegisterModelStep(
                        name=REGISTER_STEP,
                        arguments=registration.request(self.model, self.names, self.images.serving),
                        retry_policies=RETRIES[:1],
                    ),
                ),
                else_steps=(FailStep(name=REJECT_STEP, arguments=FailArguments(error_message=reason)),),
            ),
        )

    def _processing(
        self,
        name: str,
        *,
        image: str,
        command: str,
        inputs: dict[str, Uri],
        outputs: list[str],
        property_file: tuple[str, str, str] | None = None,
        depends_on: tuple[str, ...] | None = None,
    ) -> ProcessingStep:
        file = property_file and PropertyFile(
            property_file_name=property_file[0],
            output_name=channel_name(property_file[1]),
            file_path=property_file[2],
        )
        return ProcessingStep(
            name=name,
            depends_on=depends_on,
            property_files=(file,) if file else None,
            retry_policies=RETRIES,
            arguments=processing_request(
                self._machine,
                image=image,
                command=command,
                environment=self._environment(image),
                inputs=inputs,
                outputs={path: self._folder(name, channel_name(path)) for path in outputs},
            ),
        )

    def _environment(self, image: str) -> dict[str, str]:
        if image == self.images.training:
            return training_environment(training_spec(self.model))
        return monitoring_environment(monitoring_spec(self.model))

    @cached_property
    def _machine(self) -> Machine:
        config = self.model.training
        seconds = config.max_runtime_minutes * 60
        return Machine(config.instance, self.role_arn, self.kms_key, seconds, self.vpc_config)

    def _folder(self, *below: str) -> Join:
        return Join.of(self.names.runs_uri, Get.execution("PipelineExecutionId"), *below)


def _channel(name: str, uri: Uri) -> dict[str, Any]:
    source = {"S3Uri": uri, "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
