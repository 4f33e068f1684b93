import json

import pytest
from botocore.exceptions import ClientError

from infra.pipelines import Parameter, PipelineDefinition
from infra.pipelines.steps import CacheConfig

ROLE = "arn:aws:iam::123456789012:role/jobs"

pytestmark = pytest.mark.local_cloud


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Type": "Lambda"}, "Lambda"),
        ({"DependsOn": ["Frist"]}, "no step Frist"),
        ({"Arguments": {"RoleArn": {"Get": "Parameters.Role"}}, "PropertyFiles": []}, "no parameter Role"),
        ({"Arguments": {"RoleArn": ROLE}, "PropertyFiles": []}, "ProcessingResources is missing"),
    ],
)
def test_a_step_that_aws_would_refuse_is_refused(pipelines, build, change, message):
    definition = json.loads(PipelineDefinition(steps=(build.processing("First"),)).to_json())
    definition["Steps"][0] |= change
    refused(pipelines, json.dumps(definition), message)


@pytest.mark.parametrize(
    ("definition", "message"),
    [("{", "Invalid JSON"), ('{"Version": "2019-01-01", "Steps": []}', "2020-12-01")],
)
def test_a_definition_that_aws_would_refuse_is_refused(pipelines, definition, message):
    refused(pipelines, definition, message)


def refused(pipelines, definition, message):
    with pytest.raises(ClientError, match=message) as error:
        pipelines.sagemaker.create_pipeline(PipelineName="refused", RoleArn=ROLE, PipelineDefinition=definition)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_caching_is_refused_rather_than_left_undone(pipelines, build):
    with pytest.raises(ClientError, match="does not support caching of pipeline steps"):
        pipelines.create(build.processing("First", cache_config=CacheConfig(enabled=True, expire_after="P1D")))


def test_an_execution_keeps_the_definition_it_began_with(pipelines, build):
    name = pipelines.create(build.processing("First"))
    arn = pipelines.start(name)
    changed = PipelineDefinition(steps=(build.processing("Other"),)).to_json()
    pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=changed)
    pipelines.finish(arn)
    told = pipelines.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert "First" in told["PipelineDefinition"]
    assert pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == changed


def test_a_pipeline_that_runs_cannot_be_deleted_and_one_at_rest_is_gone_for_good(pipelines, build):
    name = pipelines.create(build.processing("First", "wait"))
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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Aswer": "x"}, "did you mean Answer"),
        ({"Answer": "x", "Rows": "many"}, "'many', which is no Integer"),
        ({"Answer": "x", "Rows": "1", "Why": "because"}, "'because' but must be one of new-data, drift"),
        ({"Rows": "1"}, "Answer has no default"),
    ],
)
def test_a_start_with_parameters_that_do_not_fit_is_refused(pipelines, build, given, message):
    name = pipelines.create(
        build.training(),
        parameters=(
            Parameter(name="Answer"),
            Parameter(name="Rows", type="Integer", default_value=1),
            Parameter(name="Why", default_value="drift", enum_values=("new-data", "drift")),
        ),
    )
    with pytest.raises(ClientError, match=message):
        pipelines.start(name, given)


def test_parameters_have_defaults_that_a_start_may_override(pipelines, build):
    answer = Parameter(name="Answer", default_value="default")
    for given, expected in ((None, "default"), ({"Answer": "chosen"}, "chosen")):
        arn = pipelines.start(pipelines.create(build.training(), parameters=(answer,)), given)
        assert pipelines.finish(arn)["PipelineExecutionStatus"] == "Succeeded"
        listed = pipelines.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        assert listed["PipelineParameters"] == [{"Name": "Answer", "Value": expected}]
        job = pipelines.steps(arn)["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
        description = pipelines.sagemaker.describe_training_job(TrainingJobName=job)
        assert description["Environment"]["ANSWER"] == expected


def test_the_same_client_request_token_starts_one_execution(pipelines, build):
    name, token = pipelines.create(build.processing("First")), "t" * 32
    first = pipelines.start(name, ClientRequestToken=token)
    assert pipelines.start(name, ClientRequestToken=token) == first
    assert pipelines.start(name) != first
    with pytest.raises(ClientError, match="used before, with another request"):
        pipelines.start(name, ClientRequestToken=token, PipelineExecutionDescription="another")
    listed = pipelines.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert len(listed) == 2
    assert listed[-1]["PipelineExecutionArn"] == first, "the newest comes first"
