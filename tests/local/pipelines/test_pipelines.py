import json

import pytest
from botocore.exceptions import ClientError

from infra.pipelines import Parameter, PipelineDefinition
from infra.pipelines.references import Get, Join, JsonGet
from infra.pipelines.steps import (
    CacheConfig,
    Comparison,
    ConditionArguments,
    ConditionStep,
    FailArguments,
    FailStep,
    In,
    Not,
    Or,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    RetryPolicy,
    TrainingStep,
)

pytestmark = [
    pytest.mark.local_cloud,
    pytest.mark.filterwarnings("ignore:.*does not match an error shape"),  # moto on codes that only we use
]
ROLE = "arn:aws:iam::123456789012:role/jobs"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-local/step:1"
BUCKET = "pipelines-under-test"
OUT = "/opt/ml/processing/output/out"

RUN = Get.execution("PipelineExecutionId")


def processing(name, command="answer", *, answer="{}", after=None, inputs=(), **more):
    return ProcessingStep(
        name=name,
        depends_on=after,
        arguments={
            "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": [command]},
            "Environment": {"ANSWER": answer},
            "ProcessingInputs": [
                {
                    "InputName": f"in{number}",
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/in{number}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for number, uri in enumerate(inputs)
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": Join.of(f"s3://{BUCKET}", RUN, name),
                            "LocalPath": OUT,
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
            "RoleArn": ROLE,
        },
        property_files=(PropertyFile(property_file_name="Answer", output_name="out", file_path="answer.json"),),
        **more,
    )


def training(name="Train", *, after=None):
    return TrainingStep(
        name=name,
        depends_on=after,
        arguments={
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerArguments": ["train"],
            },
            "Environment": {"ANSWER": Get.parameter("Answer")},
            "OutputDataConfig": {"S3OutputPath": Join.of(f"s3://{BUCKET}", RUN, name)},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
            "RoleArn": ROLE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    )


def choose(*conditions, if_steps=(), else_steps=()):
    arguments = ConditionArguments(conditions=conditions, if_steps=if_steps, else_steps=else_steps)
    return ConditionStep(name="Choose", arguments=arguments)


def fail(name, message):
    return FailStep(name=name, arguments=FailArguments(error_message=message))


def answer_of(step, path):
    return JsonGet.of(step, "Answer", path)


def test_a_step_waits_for_the_step_it_refers_to_and_reads_its_output(pipelines):
    execution, statuses = pipelines.run(
        processing("Second", "copy", inputs=[Get.output("First", "out")]), processing("First", answer='{"n": 7}')
    )
    assert (execution["PipelineExecutionStatus"], statuses) == (
        "Succeeded",
        {"First": "Succeeded", "Second": "Succeeded"},
    )
    run = execution["PipelineExecutionArn"].rsplit("/", 1)[-1]
    assert json.loads(pipelines.read(f"s3://{BUCKET}/{run}/Second/answer.json")) == {"n": 7}


def test_independent_steps_run_side_by_side_and_dependent_ones_do_not(pipelines):
    arn = pipelines.start(
        pipelines.create(processing("A", "slow"), processing("B", "slow"), processing("C", after=("A", "B")))
    )
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    steps = pipelines.steps(arn)
    assert steps["A"]["StartTime"] < steps["B"]["EndTime"]
    assert steps["B"]["StartTime"] < steps["A"]["EndTime"]
    assert steps["C"]["StartTime"] >= max(steps["A"]["EndTime"], steps["B"]["EndTime"])


@pytest.mark.parametrize(("score", "status", "ran"), [(0.7, "Succeeded", "Kept"), (0.5, "Failed", "Refused")])
def test_a_condition_on_a_property_file_chooses_the_branch(pipelines, score, status, ran):
    execution, statuses = pipelines.run(
        processing("Evaluate", answer=json.dumps({"metrics": {"auc": score}, "reason": "not good enough"})),
        choose(
            Comparison(type="GreaterThanOrEqualTo", left_value=answer_of("Evaluate", "metrics.auc"), right_value=0.6),
            if_steps=(processing("Kept"),),
            else_steps=(fail("Refused", Join.of("auc:", answer_of("Evaluate", "reason"), on=" ")),),
        ),
    )
    assert execution["PipelineExecutionStatus"] == status
    assert set(statuses) == {"Evaluate", "Choose", ran}
    if status == "Failed":
        assert "Refused: auc: not good enough" in execution["FailureReason"]


def test_conditions_compare_by_value_and_kind(pipelines):
    passed = Comparison(type="Equals", left_value=answer_of("Evaluate", "passed"), right_value=True)
    one = Comparison(type="Equals", left_value=answer_of("Evaluate", "passed"), right_value=1)
    known = In(query_value=answer_of("Evaluate", "kind"), values=("a", "b"))
    less = Comparison(type="LessThan", left_value=answer_of("Evaluate", "n"), right_value=2)
    execution, _ = pipelines.run(
        processing("Evaluate", answer='{"passed": true, "kind": "b", "n": 2}'),
        choose(passed, known, Not(condition=one), Or(conditions=(less, known)), else_steps=(fail("No", "wrong"),)),
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"


def test_a_missing_value_in_a_property_file_fails_the_condition_with_its_path(pipelines):
    execution, statuses = pipelines.run(
        processing("Evaluate"),
        choose(Comparison(type="Equals", left_value=answer_of("Evaluate", "gate.passed"), right_value=True)),
    )
    assert statuses == {"Evaluate": "Succeeded", "Choose": "Failed"}
    assert "gate.passed has no value: there is no 'gate'" in execution["FailureReason"]


def test_a_failed_step_keeps_its_dependents_from_starting(pipelines):
    arn = pipelines.start(pipelines.create(processing("First", "fail"), processing("Second", after=("First",))))
    execution, steps = pipelines.finish(arn), pipelines.steps(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "First" in execution["FailureReason"]
    assert set(steps) == {"First"}
    assert steps["First"]["StepStatus"] == "Failed"
    assert steps["First"]["FailureReason"]


def test_after_a_failure_no_further_step_begins(pipelines):
    one_at_a_time = {"MaxParallelExecutionSteps": 1}
    name = pipelines.create(processing("First", "fail"), processing("Other"), ParallelismConfiguration=one_at_a_time)
    arn = pipelines.start(name)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    assert set(pipelines.steps(arn)) == {"First"}


def test_a_job_that_cannot_be_created_fails_its_step_with_the_reason(pipelines):
    missing = [f"s3://{BUCKET}-that-is-missing/x"]
    execution, statuses = pipelines.run(processing("First", inputs=missing))
    assert statuses == {"First": "Failed"}
    assert "that-is-missing" in execution["FailureReason"]


def test_stopping_an_execution_stops_its_running_job(pipelines):
    arn = pipelines.start(pipelines.create(processing("First", "wait"), processing("Second", after=("First",))))
    pipelines.until(lambda: pipelines.steps(arn).get("First", {}).get("Metadata"))
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.describe(arn)["PipelineExecutionStatus"] in ("Stopping", "Stopped")
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    steps = pipelines.steps(arn)
    assert {name: row["StepStatus"] for name, row in steps.items()} == {"First": "Stopped"}
    job = steps["First"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    status = pipelines.sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"]
    assert status == "Stopped"


def test_an_ended_execution_cannot_be_stopped(pipelines):
    arn = pipelines.start(pipelines.create(processing("First")))
    pipelines.finish(arn)
    with pytest.raises(ClientError, match="it is Succeeded"):
        pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)


def test_a_retried_execution_runs_only_what_did_not_succeed(pipelines):
    flaky = Comparison(type="Equals", left_value=answer_of("First", "n"), right_value=1)
    arn = pipelines.start(
        pipelines.create(processing("First", answer='{"n": 2}'), choose(flaky, else_steps=(fail("No", "never"),)))
    )
    pipelines.finish(arn)
    before = pipelines.steps(arn)
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    after = pipelines.steps(arn)
    assert after["First"]["StartTime"] == before["First"]["StartTime"]
    assert after["No"]["StartTime"] > before["No"]["StartTime"]


@pytest.mark.parametrize(("command", "attempts", "status"), [("fault", 3, "Succeeded"), ("fail", 1, "Failed")])
def test_a_retry_policy_tries_the_services_faults_again_and_not_the_jobs_own(pipelines, command, attempts, status):
    policy = RetryPolicy(
        exception_type=("SageMaker.JOB_INTERNAL_ERROR",), interval_seconds=1, backoff_rate=1, max_attempts=2
    )
    arn = pipelines.start(pipelines.create(processing("First", command, retry_policies=(policy,))))
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == status
    assert pipelines.steps(arn)["First"]["AttemptCount"] == attempts


def test_parameters_have_defaults_that_a_start_may_override(pipelines):
    answer = Parameter(name="Answer", default_value="default")
    for given, expected in ((None, "default"), ({"Answer": "chosen"}, "chosen")):
        arn = pipelines.start(pipelines.create(training(), parameters=(answer,)), given)
        assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
        listed = pipelines.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        assert listed["PipelineParameters"] == [{"Name": "Answer", "Value": expected}]
        job = pipelines.steps(arn)["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
        description = pipelines.sagemaker.describe_training_job(TrainingJobName=job)
        assert description["Environment"]["ANSWER"] == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Aswer": "x"}, "did you mean Answer"),
        ({"Answer": "x", "Rows": "many"}, "'many', which is no Integer"),
        ({"Answer": "x", "Rows": "1", "Why": "because"}, "'because' but must be one of new-data, drift"),
        ({"Rows": "1"}, "Answer has no default"),
    ],
)
def test_a_start_with_parameters_that_do_not_fit_is_refused(pipelines, given, message):
    name = pipelines.create(
        training(),
        parameters=(
            Parameter(name="Answer"),
            Parameter(name="Rows", type="Integer", default_value=1),
            Parameter(name="Why", default_value="drift", enum_values=("new-data", "drift")),
        ),
    )
    with pytest.raises(ClientError, match=message):
        pipelines.start(name, given)


def test_the_same_client_request_token_starts_one_execution(pipelines):
    name, token = pipelines.create(processing("First")), "t" * 32
    first = pipelines.start(name, ClientRequestToken=token)
    assert pipelines.start(name, ClientRequestToken=token) == first
    assert pipelines.start(name) != first
    with pytest.raises(ClientError, match="used before, with another request"):
        pipelines.start(name, ClientRequestToken=token, PipelineExecutionDescription="another")
    listed = pipelines.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert len(listed) == 2
    assert listed[-1]["PipelineExecutionArn"] == first, "the newest comes first"


def test_executions_of_one_pipeline_run_at_once_without_sharing_anything(pipelines):
    name = pipelines.create(processing("First", answer='{"n": 1}'), processing("Second", after=("First",)))
    arns = [pipelines.start(name) for _ in range(4)]
    assert [pipelines.finish(arn)["PipelineExecutionStatus"] for arn in arns] == ["Succeeded"] * 4
    jobs = {pipelines.steps(arn)["First"]["Metadata"]["ProcessingJob"]["Arn"] for arn in arns}
    assert len(jobs) == 4


def test_job_names_say_which_execution_and_step_they_belong_to(pipelines):
    long_name = "AStepWhoseNameIsLongerThanAnyJobNameMayBe" * 2
    arn = pipelines.start(pipelines.create(processing(long_name)))
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    job = pipelines.steps(arn)[long_name]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"pipelines-{arn.rsplit('/', 1)[-1]}-AStepWhose")
    assert len(job) <= 63


def test_a_model_is_registered_with_values_of_earlier_steps(pipelines):
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
                "auc": Join.of(answer_of("Evaluate", "auc"), on=""),
                "execution_id": RUN,
            },
        },
    )
    parameter = Parameter(name="Answer", default_value="x")
    name = pipelines.create(
        training(), processing("Evaluate", answer='{"auc": 0.7201}'), register, parameters=(parameter,)
    )
    arn = pipelines.start(name)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
    package = pipelines.steps(arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    told = pipelines.sagemaker.describe_model_package(ModelPackageName=package)
    assert told["CustomerMetadataProperties"] == {"auc": "0.7201", "execution_id": arn.rsplit("/", 1)[-1]}
    url = told["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert url.endswith("/output/model.tar.gz")
    assert pipelines.read(url)


def test_an_execution_keeps_the_definition_it_began_with(pipelines):
    name = pipelines.create(processing("First"))
    arn = pipelines.start(name)
    changed = PipelineDefinition(steps=(processing("Other"),)).to_json()
    pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=changed)
    pipelines.finish(arn)
    told = pipelines.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert "First" in told["PipelineDefinition"]
    assert pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == changed


def test_a_pipeline_that_runs_cannot_be_deleted_and_one_at_rest_is_gone_for_good(pipelines):
    name = pipelines.create(processing("First", "wait"))
    arn = pipelines.start(name)
    with pytest.raises(ClientError, match="running executions"):
        pipelines.sagemaker.delete_pipeline(PipelineName=name)
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    pipelines.finish(arn)
    pipelines.sagemaker.delete_pipeline(PipelineName=name)
    for call in (lambda: pipelines.sagemaker.describe_pipeline(PipelineName=name), lambda: pipelines.describe(arn)):
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == "ResourceNotFound"


def one_step(**changes):
    document = json.loads(PipelineDefinition(steps=(processing("First"),)).to_json())
    document["Steps"][0] |= changes
    return json.dumps(document)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("{", "Invalid JSON"),
        ('{"Version": "2019-01-01", "Steps": []}', "2020-12-01"),
        (one_step(Type="Lambda"), "Lambda"),
        (one_step(DependsOn=["Frist"]), "no step Frist"),
        (one_step(Arguments={"RoleArn": {"Get": "Parameters.Role"}}, PropertyFiles=[]), "no parameter Role"),
        (one_step(Arguments={"RoleArn": ROLE}, PropertyFiles=[]), "ProcessingResources is missing"),
    ],
)
def test_a_definition_that_aws_would_refuse_is_refused(pipelines, definition, message):
    with pytest.raises(ClientError, match=message) as error:
        pipelines.sagemaker.create_pipeline(PipelineName="refused", RoleArn=ROLE, PipelineDefinition=definition)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_caching_is_refused_rather_than_left_undone(pipelines):
    with pytest.raises(ClientError, match="does not support caching of pipeline steps"):
        pipelines.create(processing("First", cache_config=CacheConfig(enabled=True, expire_after="P1D")))


def test_pages_of_steps_follow_one_another(pipelines):
    arn = pipelines.start(pipelines.create(*(processing(f"Step{n}") for n in range(3))))
    pipelines.finish(arn)
    pages = pipelines.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, PaginationConfig={"PageSize": 2}
    )
    sizes = [len(page["PipelineExecutionSteps"]) for page in pages]
    assert sizes == [2, 1]


def test_status_changes_reach_event_bridge(pipelines):
    queue = pipelines.local.client("sqs").create_queue(QueueName="pipeline-events")["QueueUrl"]
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:pipeline-events"
    events = pipelines.local.client("events")
    name = pipelines.create(processing("First"))
    pattern = {"source": ["aws.sagemaker"], "detail": {"pipelineArn": [{"suffix": name}]}}
    events.put_rule(Name="pipelines", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="pipelines", Targets=[{"Id": "queue", "Arn": queue_arn}])
    arn = pipelines.start(name)
    pipelines.finish(arn)
    pipelines.local.settle(60)
    told = []
    sqs = pipelines.local.client("sqs")
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        told += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    executions = [e["detail"] for e in told if e["detail-type"].endswith("Pipeline Execution Status Change")]
    steps = [e["detail"] for e in told if e["detail-type"].endswith("Step Status Change")]
    assert {d["currentPipelineExecutionStatus"] for d in executions} == {"Executing", "Succeeded"}
    assert all(d["pipelineExecutionArn"] == arn for d in executions + steps)
    assert {d["currentStepStatus"] for d in steps} == {"Executing", "Succeeded"}
