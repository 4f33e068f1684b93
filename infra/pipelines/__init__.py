"""The SageMaker pipeline definition: what the training pipeline is, before anything runs it."""

from infra.pipelines.definition import InvalidDefinition, Parameter, PipelineDefinition
from infra.pipelines.drift_job import drift_job
from infra.pipelines.model_pipeline import Images, model_pipeline
from infra.pipelines.quality_job import quality_job
from infra.pipelines.transform_job import transform_job

__all__ = [
    "Images",
    "InvalidDefinition",
    "Parameter",
    "PipelineDefinition",
    "drift_job",
    "model_pipeline",
    "quality_job",
    "transform_job",
]
