import json

import pytest

from infra.pipelines import Parameter
from infra.pipelines.references import Get, Join
from infra.pipelines.steps import Comparison, In, Not, Or, RegisterModelStep, RetryPolicy

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-local/step:1"
BUCKET = "pipelines-under-test"

pytestmark = pytest.mark.local_cloud


def test_a_step_waits_for_the_step_it_refers_to_and_reads_its_output(pipelines, build):
    execution, statuses = pipelines.run(
        build.processing("Second", "copy", inputs=[Get.output("First", "out")]),
        build.processing("First", answer='{"n": 7}'),
    )
    assert (execution["PipelineExecutionStatus"], statuses) == (
        "Succeeded",
        {"First": "Succeeded", "Second": "Succeeded"},
    )
    run = execution["PipelineExecutionArn"].rsplit("/", 1)[-1]
    assert json.loads(pipelines.read(f"s3://{BUCKET}/{run}/Second/answer.json")) == {"n": 7}


def test_independent_steps_run_side_by_side_and_dependent_ones_do_not(pipelines, build):
    arn = pipelines.start(
        pipelines.create(
            build.processing("A", "slow"), build.processing("B", "slow"), build.processing("C", after=("A", "B"))
        )
    )
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    steps = pipelines.steps(arn)
    assert steps["A"]["StartTime"] < steps["B"]["EndTime"]
    assert steps["B"]["StartTime"] < steps["A"]["EndTime"]
    assert steps["C"]["StartTime"] >= max(steps["A"]["EndTime"], steps["B"]["EndTime"])


@pytest.mark.parametrize(("score", "outcome"), [(0.7, ("Succeeded", "Kept")), (0.5, ("Failed", "Refused"))])
def test_a_condition_on_a_property_file_chooses_the_branch(pipelines, build, score, outcome):
    status, ran = outcome
    execution, statuses = pipelines.run(
        build.processing("Evaluate", answer=json.dumps({"metrics": {"auc": score}, "reason": "not good enough"})),
        build.choose(
            Comparison(
                type="GreaterThanOrEqualTo", left_value=build.answer_of("Evaluate", "metrics.auc"), right_value=0.6
            ),
            if_steps=(build.processing("Kept"),),
            else_steps=(build.fail("Refused", Join.of("auc:", build.answer_of("Evaluate", "reason"), on=" ")),),
        ),
    )
    assert execution["PipelineExecutionStatus"] == status
    assert set(statuses) == {"Evaluate", "Choose", ran}
    if status == "Failed":
        assert "Refused: auc: not good enough" in execution["FailureReason"]


def test_conditions_compare_by_value_and_kind(pipelines, build):
    passed = Comparison(type="Equals", left_value=build.answer_of("Evaluate", "passed"), right_value=True)
    one = Comparison(type="Equals", left_value=build.answer_of("Evaluate", "passed"), right_value=1)
    known = In(query_value=build.answer_of("Evaluate", "kind"), values=("a", "b"))
    less = Comparison(type="LessThan", left_value=build.answer_of("Evaluate", "n"), right_value=2)
    execution, _ = pipelines.run(
        build.processing("Evaluate", answer='{"passed": true, "kind": "b", "n": 2}'),
        build.choose(
            passed, known, Not(condition=one), Or(conditions=(less, known)), else_steps=(build.fail("No", "wrong"),)
        ),
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"


def test_a_missing_value_in_a_property_file_fails_the_condition_with_its_path(pipelines, build):
    execution, statuses = pipelines.run(
        build.processing("Evaluate"),
        build.choose(
            Comparison(type="Equals", left_value=build.answer_of("Evaluate", "gate.passed"), right_value=True)
        ),
    )
    assert statuses == {"Evaluate": "Succeeded", "Choose": "Failed"}
    assert "gate.passed has no value: there is no 'gate'" in execution["FailureReason"]


def test_a_failed_step_keeps_its_dependents_from_starting(pipelines, build):
    arn = pipelines.start(
        pipelines.create(build.processing("First", "fail"), build.processing("Second", after=("First",)))
    )
    execution, steps = pipelines.finish(arn), pipelines.steps(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "First" in execution["FailureReason"]
    assert set(steps) == {"First"}
    assert steps["First"]["StepStatus"] == "Failed"
    assert steps["First"]["FailureReason"]


def test_after_a_failure_no_further_step_begins(pipelines, build):
    one_at_a_time = {"MaxParallelExecutionSteps": 1}
    name = pipelines.create(
        build.processing("First", "fail"), build.processing("Other"), ParallelismConfiguration=one_at_a_time
    )
    arn = pipelines.start(name)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    assert set(pipelines.steps(arn)) == {"First"}


def test_a_job_that_cannot_be_created_fails_its_step_with_the_reason(pipelines, build):
    missing = [f"s3://{BUCKET}-that-is-missing/x"]
    execution, statuses = pipelines.run(build.processing("First", inputs=missing))
    assert statuses == {"First": "Failed"}
    assert "that-is-missing" in execution["FailureReason"]


@pytest.mark.parametrize(("command", "ending"), [("fault", (3, "Succeeded")), ("fail", (1, "Failed"))])
def test_a_retry_policy_tries_the_services_faults_again_and_not_the_jobs_own(pipelines, build, command, ending):
    attempts, status = ending
    policy = RetryPolicy(
        exception_type=("SageMaker.JOB_INTERNAL_ERROR",), interval_seconds=1, backoff_rate=1, max_attempts=2
    )
    arn = pipelines.start(pipelines.create(build.processing("First", command, retry_policies=(policy,))))
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == status
    assert pipelines.steps(arn)["First"]["AttemptCount"] == attempts


def test_job_names_say_which_execution_and_step_they_belong_to(pipelines, build):
    long_name = "AStepWhoseNameIsLongerThanAnyJobNameMayBe" * 2
    arn = pipelines.start(pipelines.create(build.processing(long_name)))
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    job = pipelines.steps(arn)[long_name]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"pipelines-{arn.rsplit('/', 1)[-1]}-AStepWhose")
    assert len(job) <= 63


def test_a_model_is_registered_with_values_of_earlier_steps(pipelines, build):
    pipelines.sagemaker.create_model_package_group(ModelPackageGroupName="registered-by-a-pipeline")
    register = RegisterModelStep(
        name="Register",
        arguments={
            "ModelPackageGroupName": "registered-by-a-pipeline",
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": Get.step("Train", "ModelArtifacts.S3ModelArtifacts")}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "CustomerMetadataProperties": {
                "auc": Join.of(build.answer_of("Evaluate", "auc"), on=""),
                "execution_id": build.run_id,
            },
        },
    )
    parameter = Parameter(name="Answer", default_value="x")
    name = pipelines.create(
        build.training(), build.processing("Evaluate", answer='{"auc": 0.7201}'), register, parameters=(parameter,)
    )
    arn = pipelines.start(name)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    package = pipelines.steps(arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    told = pipelines.sagemaker.describe_model_package(ModelPackageName=package)
    assert told["CustomerMetadataProperties"] == {"auc": "0.7201", "execution_id": arn.rsplit("/", 1)[-1]}
    url = told["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert url.endswith("/output/model.tar.gz")
    assert pipelines.read(url)


def test_pages_of_steps_follow_one_another(pipelines, build):
    arn = pipelines.start(pipelines.create(*(build.processing(f"Step{n}") for n in range(3))))
    pipelines.finish(arn)
    pages = pipelines.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, PaginationConfig={"PageSize": 2}
    )
    sizes = [len(page["PipelineExecutionSteps"]) for page in pages]
    assert sizes == [2, 1]
