"""SageMaker pipelines that run: moto's handlers replaced by ones that check the definition and walk it."""

from typing import Final

from moto.sagemaker.exceptions import ConflictException
from moto.sagemaker.models import FakePipeline

from infra.local.cloud import LocalCloud
from infra.local.jobs.job import present, require
from infra.local.operations import Operation, replace_sagemaker
from infra.local.pipelines.executions import Executions, PipelineStore
from infra.local.validation import Json, ValidationException
from infra.pipelines import InvalidDefinition, PipelineDefinition
from infra.pipelines.steps import ProcessingStep, TrainingStep
from infra.pipelines.validator import check_steps

_VERSIONS: Final = ("PipelineVersionAliases", "PipelineVersionAlias", "PipelineVersionId")


def install(cloud: LocalCloud) -> None:
    """Replace moto's pipeline operations, whose executions succeed at once and run nothing."""
    store = PipelineStore(cloud)
    executions = Executions(cloud, store)
    replace_sagemaker(executions.operations())
    replace_sagemaker(Pipelines(cloud, store, executions).operations())


class Pipelines:
    """The operations on pipelines; ListPipelines is moto's own, on the same store."""

    def __init__(self, cloud: LocalCloud, store: PipelineStore, executions: Executions) -> None:
        self._cloud = cloud
        self._store = store
        self._executions = executions

    def operations(self) -> dict[str, Operation]:
        """By AWS's names."""
        return {
            "CreatePipeline": self.create,
            "UpdatePipeline": self.update,
            "DescribePipeline": self.describe,
            "DeletePipeline": self.delete,
        }

    def create(self, request: Json) -> Json:
        """Take a pipeline whose definition holds."""
        _refuse_versions(request)
        name, text = request["PipelineName"], self._definition(request)
        if text is None:
            raise ValidationException("Either PipelineDefinition or PipelineDefinitionS3Location should be provided.")
        pipeline = FakePipeline(
            pipeline_name=name,
            pipeline_display_name=request.get("PipelineDisplayName", name),
            pipeline_definition=text,
            pipeline_description=request.get("PipelineDescription"),
            role_arn=request["RoleArn"],
            tags=list(request.get("Tags", [])),
            account_id=self._cloud.account,
            region_name=self._cloud.region,
            parallelism_configuration=request.get("ParallelismConfiguration"),
        )
        self._store.add(pipeline)
        return {"PipelineArn": pipeline.arn}

    def update(self, request: Json) -> Json:
        """Change a pipeline; executions under way keep the definition they began with."""
        _refuse_versions(request)
        pipeline = self._store.find(request["PipelineName"])
        changes = {
            "pipeline_definition": self._definition(request),
            "pipeline_display_name": request.get("PipelineDisplayName"),
            "pipeline_description": request.get("PipelineDescription"),
            "role_arn": request.get("RoleArn"),
            "parallelism_configuration": request.get("ParallelismConfiguration"),
            "last_modified_time": self._cloud.clock.now(),
        }
        for attribute, value in present(**changes).items():
            setattr(pipeline, attribute, value)
        return {"PipelineArn": pipeline.arn}

    def describe(self, request: Json) -> Json:
        """Tell a pipeline's state."""
        _refuse_versions(request)
        pipeline = self._store.find(request["PipelineName"])
        return present(
            PipelineArn=pipeline.arn,
            PipelineName=pipeline.pipeline_name,
            PipelineDisplayName=pipeline.pipeline_display_name,
            PipelineDefinition=pipeline.pipeline_definition,
            PipelineDescription=pipeline.pipeline_description,
            RoleArn=pipeline.role_arn,
            PipelineStatus=pipeline.pipeline_status,
            CreationTime=pipeline.creation_time,
            LastModifiedTime=pipeline.last_modified_time,
            LastRunTime=pipeline.last_execution_time,
            ParallelismConfiguration=pipeline.parallelism_configuration,
        )

    def delete(self, request: Json) -> Json:
        """Remove a pipeline that is not running, and the memory of its executions."""
        pipeline = self._store.find(request["PipelineName"])
        if self._executions.running(pipeline.pipeline_name):
            raise ConflictException(f"Pipeline {pipeline.arn} has running executions: stop them before deleting it.")
        self._executions.forget(pipeline.pipeline_name)
        self._store.remove(pipeline)
        return {"PipelineArn": pipeline.arn}

    def _definition(self, request: Json) -> str | None:
        text, place = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
        if text is not None and place is not None:
            raise ValidationException("Give PipelineDefinition or PipelineDefinitionS3Location, not both.")
        if place is not None:
            text = self._fetch(place)
        if text is not None:
            _check(text)
        return text

    def _fetch(self, place: Json) -> str:
        version = present(VersionId=place.get("VersionId"))
        answer = self._cloud.client("s3").get_object(Bucket=place["Bucket"], Key=place["ObjectKey"], **version)
        text: str = answer["Body"].read().decode()
        return text


def _check(text: str) -> None:
    try:
        definition = PipelineDefinition.parse(text)
        check_steps(definition)
    except InvalidDefinition as error:
        raise ValidationException(f"Unable to parse pipeline definition. {error}") from error
    for step in definition.all_steps().values():
        cached = isinstance(step, ProcessingStep | TrainingStep) and step.cache_config and step.cache_config.enabled
        require(not cached, f"caching of pipeline steps (CacheConfig of {step.name})")


def _refuse_versions(request: Json) -> None:
    for member in _VERSIONS:
        require(member not in request, f"versions of pipelines ({member})")
