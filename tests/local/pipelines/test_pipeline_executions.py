import pytest
from botocore.exceptions import ClientError

from infra.pipelines.steps import Comparison

pytestmark = pytest.mark.local_cloud


def test_stopping_an_execution_stops_its_running_job(pipelines, build):
    arn = pipelines.start(
        pipelines.create(build.processing("First", "wait"), build.processing("Second", after=("First",)))
    )
    pipelines.until(lambda: pipelines.steps(arn).get("First", {}).get("Metadata"))
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.describe(arn)["PipelineExecutionStatus"] in ("Stopping", "Stopped")
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Stopped"
    steps = pipelines.steps(arn)
    assert {name: row["StepStatus"] for name, row in steps.items()} == {"First": "Stopped"}
    job = steps["First"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    status = pipelines.sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"]
    assert status == "Stopped"


def test_an_ended_execution_cannot_be_stopped(pipelines, build):
    arn = pipelines.start(pipelines.create(build.processing("First")))
    pipelines.finish(arn)
    with pytest.raises(ClientError, match="it is Succeeded"):
        pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)


def test_a_retried_execution_runs_only_what_did_not_succeed(pipelines, build):
    flaky = Comparison(type="Equals", left_value=build.answer_of("First", "n"), right_value=1)
    arn = pipelines.start(
        pipelines.create(
            build.processing("First", answer='{"n": 2}'), build.choose(flaky, else_steps=(build.fail("No", "never"),))
        )
    )
    pipelines.finish(arn)
    before = pipelines.steps(arn)
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Failed"
    after = pipelines.steps(arn)
    assert after["First"]["StartTime"] == before["First"]["StartTime"]
    assert after["No"]["StartTime"] > before["No"]["StartTime"]


def test_executions_of_one_pipeline_run_at_once_without_sharing_anything(pipelines, build):
    name = pipelines.create(build.processing("First", answer='{"n": 1}'), build.processing("Second", after=("First",)))
    arns = [pipelines.start(name) for _ in range(4)]
    assert [pipelines.finish(arn)["PipelineExecutionStatus"] for arn in arns] == ["Succeeded"] * 4
    jobs = {pipelines.steps(arn)["First"]["Metadata"]["ProcessingJob"]["Arn"] for arn in arns}
    assert len(jobs) == 4


def test_status_changes_reach_event_bridge(pipelines, build, listen):
    name = pipelines.create(build.processing("First"))
    queue = listen({"source": ["aws.sagemaker"], "detail": {"pipelineArn": [{"suffix": name}]}})
    arn = pipelines.start(name)
    pipelines.finish(arn)
    told = queue.read()
    executions = [e["detail"] for e in told if e["detail-type"].endswith("Pipeline Execution Status Change")]
    steps = [e["detail"] for e in told if e["detail-type"].endswith("Step Status Change")]
    assert {d["currentPipelineExecutionStatus"] for d in executions} == {"Executing", "Succeeded"}
    assert all(d["pipelineExecutionArn"] == arn for d in executions + steps)
    assert {d["currentStepStatus"] for d in steps} == {"Executing", "Succeeded"}
