"""Configuration: one YAML file a model, one an environment, checked with every problem told at once."""

from infra.config.asynchronous import AsynchronousEndpointConfig
from infra.config.batch_transform import BatchTransformConfig
from infra.config.chosen import (
    ENVIRONMENT_VARIABLE,
    MODELS_VARIABLE,
    ROOT_VARIABLE,
    chosen_environment,
    chosen_models,
    project_root,
)
from infra.config.data import DataConfig, FeaturesConfig
from infra.config.endpoint import AlarmsConfig, CaptureConfig, RealTimeEndpointConfig
from infra.config.endpoint_kinds import EndpointConfig, FleetConfig, initial_instances
from infra.config.environment import EnvironmentConfig, FileState, GitHub, S3State
from infra.config.errors import ConfigError, Problem
from infra.config.files import environment_names, model_names
from infra.config.inference_pipeline import ContainerConfig, InferencePipelineEndpointConfig
from infra.config.instance import InstanceConfig
from infra.config.load import Project, load_environment, load_model, load_project, load_source
from infra.config.lock_file import load_lock
from infra.config.model import ModelConfig
from infra.config.monitoring import DriftConfig, MonitoringConfig
from infra.config.multi_model import MultiModelEndpointConfig
from infra.config.network import CreatedNetwork, ExistingNetwork, NetworkConfig, NoNetwork
from infra.config.quality import QualityConfig
from infra.config.release import RELEASE_LOCK_SCHEMA_VERSION, Release, ReleaseLock
from infra.config.retention import RetentionConfig
from infra.config.retraining import DriftWindowsConfig, NewDataConfig, RetrainingConfig
from infra.config.rollout import (
    AllAtOnceRollout,
    CanaryRollout,
    LinearRollout,
    RollbackAlarm,
    RollingRollout,
    RolloutConfig,
)
from infra.config.scaling import BacklogScalingConfig, FleetSize, ScalingConfig
from infra.config.scaling_policies import (
    BacklogPolicy,
    ConcurrencyPolicy,
    CpuPolicy,
    GpuPolicy,
    MetricPolicy,
    RequestsPolicy,
    ScalingMetric,
    ScalingPolicy,
    ScalingStep,
    ScheduledPolicy,
    StepPolicy,
)
from infra.config.serverless import ServerlessEndpointConfig
from infra.config.training import GateConfig, SplitConfig, TrainingConfig
from infra.config.variants import ShadowConfig, VariantConfig
from infra.config.waivers import WAIVERS_FILE, Waiver, load_waivers

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "MODELS_VARIABLE",
    "RELEASE_LOCK_SCHEMA_VERSION",
    "ROOT_VARIABLE",
    "WAIVERS_FILE",
    "AlarmsConfig",
    "AllAtOnceRollout",
    "AsynchronousEndpointConfig",
    "BacklogPolicy",
    "BacklogScalingConfig",
    "BatchTransformConfig",
    "CanaryRollout",
    "CaptureConfig",
    "ConcurrencyPolicy",
    "ConfigError",
    "ContainerConfig",
    "CpuPolicy",
    "CreatedNetwork",
    "DataConfig",
    "DriftConfig",
    "DriftWindowsConfig",
    "EndpointConfig",
    "EnvironmentConfig",
    "ExistingNetwork",
    "FeaturesConfig",
    "FileState",
    "FleetConfig",
    "FleetSize",
    "GateConfig",
    "GitHub",
    "GpuPolicy",
    "InferencePipelineEndpointConfig",
    "InstanceConfig",
    "LinearRollout",
    "MetricPolicy",
    "ModelConfig",
    "MonitoringConfig",
    "MultiModelEndpointConfig",
    "NetworkConfig",
    "NewDataConfig",
    "NoNetwork",
    "Problem",
    "Project",
    "QualityConfig",
    "RealTimeEndpointConfig",
    "Release",
    "ReleaseLock",
    "RequestsPolicy",
    "RetentionConfig",
    "RetrainingConfig",
    "RollbackAlarm",
    "RollingRollout",
    "RolloutConfig",
    "S3State",
    "ScalingConfig",
    "ScalingMetric",
    "ScalingPolicy",
    "ScalingStep",
    "ScheduledPolicy",
    "ServerlessEndpointConfig",
    "ShadowConfig",
    "SplitConfig",
    "StepPolicy",
    "TrainingConfig",
    "VariantConfig",
    "Waiver",
    "chosen_environment",
    "chosen_models",
    "environment_names",
    "initial_instances",
    "load_environment",
    "load_lock",
    "load_model",
    "load_project",
    "load_source",
    "load_waivers",
    "model_names",
    "project_root",
]
