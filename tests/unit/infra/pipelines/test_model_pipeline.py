import json
import os
from pathlib import Path

import pytest

from infra.config import BatchTransformConfig, MultiModelEndpointConfig, ServerlessEndpointConfig
from infra.pipelines import InvalidDefinition, PipelineDefinition, drift_job
from monitoring.contract import SPEC_VARIABLE as MONITORING_SPEC
from monitoring.spec import DriftSpec, Spec
from serving.contract import join_variable
from training.contract import SPEC_VARIABLE as TRAINING_SPEC
from training.spec import TrainingSpec

GOLDEN = Path(__file__).parents[3] / "synth" / "golden" / "flight-delay.pipeline.json"
ROLE = "arn:aws:iam::123456789012:role/jobs"
MODEL = "s3://registry/runs/1/model.tar.gz"
MONITORING_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local/monitoring:1"


def changed(model, **sections):
    """The model with other values in some of its sections: changed(model, training={"instance": …})."""
    return model.model_copy(
        update={name: getattr(model, name).model_copy(update=values) for name, values in sections.items()}
    )


def test_the_reference_models_pipeline_is_the_golden_one(pipeline):
    """Look at the difference, then write the file anew with SAGESTACK_UPDATE_GOLDEN=1."""
    document = json.dumps(json.loads(pipeline().to_json()), indent=1) + "\n"
    if os.environ.get("SAGESTACK_UPDATE_GOLDEN"):
        GOLDEN.write_text(document)
    assert document == GOLDEN.read_text()


def test_the_same_model_gives_the_same_text(pipeline):
    assert pipeline().to_json() == pipeline().to_json()


def test_steps_wait_for_what_they_need_and_for_nothing_else(pipeline):
    assert pipeline().graph() == {
        "ValidateData": set(),
        "PrepareData": {"ValidateData"},
        "TrainModel": {"PrepareData"},
        "EvaluateModel": {"PrepareData", "TrainModel"},
        "ComputeBaseline": {"PrepareData", "TrainModel"},
        "Gate": {"EvaluateModel"},
        "RegisterModel": {"PrepareData", "TrainModel", "EvaluateModel", "ComputeBaseline", "Gate"},
        "RejectModel": {"EvaluateModel", "Gate"},
    }


def test_evaluation_gets_the_champion_only_if_there_is_one(pipeline):
    def inputs(definition):
        rows = definition.all_steps()["EvaluateModel"].arguments["ProcessingInputs"]
        return {row["InputName"]: row["S3Input"]["S3Uri"] for row in rows}

    assert "champion" not in inputs(pipeline())
    assert inputs(pipeline(champion="s3://registry/live/model.tar.gz"))["champion"] == "s3://registry/live/model.tar.gz"


def test_jobs_have_no_network_and_are_encrypted_with_the_given_key(pipeline):
    for step in pipeline(kms_key="alias/mine").all_steps().values():
        if step.type == "Processing":
            assert step.arguments["NetworkConfig"] == {"EnableNetworkIsolation": True}
            assert step.arguments["ProcessingOutputConfig"]["KmsKeyId"] == "alias/mine"
            assert step.arguments["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == "alias/mine"
        if step.type == "Training":
            assert step.arguments["EnableNetworkIsolation"] is True
            assert step.arguments["OutputDataConfig"]["KmsKeyId"] == "alias/mine"
            assert step.arguments["ResourceConfig"]["VolumeKmsKeyId"] == "alias/mine"


def test_instances_with_a_disk_of_their_own_are_given_no_volume_key(pipeline, model):
    instance = model.training.instance.model_copy(update={"type": "ml.g5.xlarge"})
    text = pipeline(model=changed(model, training={"instance": instance})).to_json()
    assert '"KmsKeyId"' in text
    assert "VolumeKmsKeyId" not in text


def test_without_a_key_no_key_is_named(pipeline):
    assert "KmsKeyId" not in pipeline(kms_key=None).to_json()


def test_the_training_image_is_told_the_model_in_variables_that_sagemaker_takes(pipeline):
    environment = pipeline().all_steps()["TrainModel"].arguments["Environment"]
    assert max(map(len, environment.values())) <= 256
    spec = json.loads(join_variable(TRAINING_SPEC, environment))
    assert TrainingSpec.read(environment).label == "late"
    assert spec["gate"] == {"metric": "auc", "minimum": 0.55, "champion_margin": 0.0}
    assert spec["hyperparameters"] == {"num_iterations": 150, "num_leaves": 31, "learning_rate": 0.1}
    assert (spec["label"], spec["time"], spec["threshold"]) == ("late", "scheduled_at", 0.5)


def test_the_monitoring_image_is_told_the_columns_and_nothing_of_the_training(pipeline):
    environment = pipeline().all_steps()["ValidateData"].arguments["Environment"]
    assert Spec.from_environment(environment).time == "scheduled_at"
    spec = json.loads(join_variable(MONITORING_SPEC, environment))
    assert sorted(spec) == ["categorical", "label", "model", "numeric", "problem", "schema_version", "time"]


def test_hyperparameters_are_text_as_the_console_shows_them(pipeline, model):
    other = changed(model, training={"hyperparameters": {"extra_trees": True, "num_leaves": 7, "boosting": "dart"}})
    told = pipeline(model=other).all_steps()["TrainModel"].arguments["HyperParameters"]
    assert told == {"extra_trees": "true", "num_leaves": "7", "boosting": "dart"}


def test_the_gates_metric_is_registered_under_its_own_name(pipeline, model):
    gate = model.training.gate.model_copy(update={"metric": "accuracy"})
    properties = (
        pipeline(model=changed(model, training={"gate": gate}))
        .all_steps()["RegisterModel"]
        .arguments["CustomerMetadataProperties"]
    )
    assert "auc" not in properties
    read = properties["accuracy"]["Std:Join"]["Values"][0]["Std:JsonGet"]
    assert read == {"PropertyFile": {"Get": "Steps.EvaluateModel.PropertyFiles.Evaluation"}, "Path": "metrics.accuracy"}


def test_an_instance_type_that_sagemaker_does_not_know_is_refused_with_a_hint(pipeline, model):
    instance = model.training.instance.model_copy(update={"type": "ml.m5.xlrage"})
    with pytest.raises(InvalidDefinition, match=r"TrainModel: ResourceConfig.InstanceType.*did you mean ml.m5.xlarge"):
        pipeline(model=changed(model, training={"instance": instance}))


def test_a_role_that_terraform_will_make_is_carried_as_it_is(pipeline):
    role = "${TfToken[TOKEN.7]}"
    assert (
        PipelineDefinition.parse(pipeline(role_arn=role).to_json()).all_steps()["TrainModel"].arguments["RoleArn"]
        == role
    )


def build_drift_job(model, names, **more):
    uri = "s3://registry/runs/1/baseline"
    return drift_job(
        model, names, image=MONITORING_IMAGE, role_arn=ROLE, baseline_uri=uri, model_uri=MODEL, kms_key=None, **more
    )


def test_the_drift_job_learns_its_window_and_name_from_the_scheduler(model, names):
    job = build_drift_job(model, names)
    assert job["ProcessingJobName"] == "flight-delay-drift-<aws.scheduler.execution-id>"
    assert job["Environment"]["SAGESTACK_WINDOW_END"] == "<aws.scheduler.scheduled-time>"
    uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert uri == f"{names.drift_reports_uri}/<aws.scheduler.scheduled-time>"


def test_the_drift_job_is_told_where_captured_traffic_lies_and_may_reach_it(model, names):
    job = build_drift_job(model, names, baseline_version=3)
    spec = DriftSpec.from_environment(job["Environment"])
    assert (spec.endpoint, spec.variant, spec.capture_uri) == (names.base, "main", names.capture_uri)
    assert (spec.schedule, spec.psi_threshold, spec.baseline_model_version) == ("monthly", 0.25, 3)
    assert spec.prediction_psi_threshold == model.monitoring.drift.prediction_psi_threshold
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": False}


def test_the_drift_jobs_name_fits_however_long_the_models_is(model, names):
    job = build_drift_job(model.model_copy(update={"name": "a-model-with-a-rather-long-name"}), names)
    filled = job["ProcessingJobName"].replace("<aws.scheduler.execution-id>", "0" * 36)
    assert len(filled) <= 63


def test_a_model_without_drift_monitoring_has_no_drift_job(model, names):
    with pytest.raises(ValueError, match="flight-delay has no drift monitoring"):
        build_drift_job(changed(model, monitoring={"drift": None}), names)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (MultiModelEndpointConfig(kind="multi-model"), {"SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"]}),
        (BatchTransformConfig(kind="batch-transform"), {"SupportedTransformInstanceTypes": ["ml.m5.large"]}),
        (ServerlessEndpointConfig(kind="serverless"), {}),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_version_is_registered_for_the_instances_that_its_kind_of_endpoint_has(pipeline, model, endpoint, expected):
    definition = PipelineDefinition.parse(pipeline(model=model.model_copy(update={"endpoint": endpoint})).to_json())
    specification = definition.all_steps()["RegisterModel"].arguments["InferenceSpecification"]
    assert {key: value for key, value in specification.items() if key.endswith("InstanceTypes")} == expected
