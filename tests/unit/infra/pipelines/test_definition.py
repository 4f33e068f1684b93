import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.pipelines import InvalidDefinition, Parameter, PipelineDefinition
from infra.pipelines.references import Get, Join, JsonGet, find, parse
from infra.pipelines.steps import (
    Comparison,
    ConditionArguments,
    ConditionStep,
    FailArguments,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RetryPolicy,
    TrainingStep,
)
from infra.pipelines.validator import check_steps

NAMES = st.from_regex(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,20}", fullmatch=True)
SCALARS = st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS
    | st.just(Get.parameter("P"))
    | st.just(Get.execution("PipelineExecutionId"))
    | st.lists(SCALARS, max_size=3).map(lambda values: Join.of(*values)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, min_size=2, max_size=3),
    max_leaves=8,
)


def training(name, *, after=None, **arguments):
    return TrainingStep(name=name, depends_on=after, arguments=arguments)


def processing(name, output="out", file="File"):
    return ProcessingStep(
        name=name,
        arguments={"ProcessingOutputConfig": {"Outputs": [{"OutputName": output}]}},
        property_files=(PropertyFile(property_file_name=file, output_name="out", file_path="a.json"),),
    )


@st.composite
def definitions(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    arguments = st.dictionaries(st.text(), VALUES, max_size=4).filter(lambda d: set(d) & {"Get", "Std:Join"} == set())
    steps = []
    for position, name in enumerate(names):
        after = draw(st.lists(st.sampled_from(names[:position]), unique=True)) if position else []
        policy = RetryPolicy(exception_type=("Step.THROTTLING",), max_attempts=draw(st.integers(1, 20)))
        retries = draw(st.none() | st.just((policy,)))
        steps.append(
            TrainingStep(name=name, depends_on=tuple(after) or None, retry_policies=retries, arguments=draw(arguments))
        )
    compare = Comparison(type="Equals", left_value=draw(VALUES), right_value=draw(SCALARS))
    fail = FailStep(name="end-of-it", arguments=FailArguments(error_message=draw(VALUES)))
    choose = ConditionStep(
        name="the-choice",
        arguments=ConditionArguments(conditions=(compare,), if_steps=tuple(steps[1:]), else_steps=(fail,)),
    )
    parameter = Parameter(name="P", default_value=draw(st.text() | st.none()))
    return PipelineDefinition(parameters=(parameter,), steps=(steps[0], choose))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_what_is_written_reads_back_as_the_same_definition_and_the_same_text(definition):
    text = definition.to_json()
    again = PipelineDefinition.parse(text)
    assert again == definition
    assert again.to_json() == text


@given(st.text())
def test_any_text_is_a_definition_or_refused_by_name(text):
    with pytest.raises(InvalidDefinition, match="the pipeline definition is not valid"):
        PipelineDefinition.parse(text)


@given(st.recursive(st.none() | SCALARS, lambda i: st.lists(i) | st.dictionaries(st.text(), i), max_leaves=10))
def test_any_json_is_a_definition_or_refused_by_name(document):
    with pytest.raises(InvalidDefinition):
        PipelineDefinition.parse(json.dumps(document))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([training("A"), training("A")], "two steps are named A"),
        (
            [training("Train"), training("B", after=("Trian",))],
            "step B: DependsOn: there is no step Trian; did you mean",
        ),
        ([training("A", X=Get.parameter("Answr"))], "step A: there is no parameter Answr; did you mean Answer"),
        ([training("A", X=Get.step("Trian", "ModelArtifacts"))], "step A: there is no step Trian"),
        ([training("A", X=Get.execution("ExecutionId"))], "no execution property ExecutionId; did you mean"),
        ([processing("P", output="aut")], "step P: property file File: there is no output out; did you mean aut"),
        (
            [processing("P"), training("A", X=JsonGet.of("P", "Fiel", "a"))],
            "step A: P: there is no property file Fiel; did you mean File",
        ),
        ([training("T"), training("A", X=JsonGet.of("T", "File", "a"))], "no step with property files T"),
        (
            [processing("P"), training("A", X=Get.output("P", "outt"))],
            "step A: P: there is no output outt; did you mean",
        ),
        ([training("A", X=Join.of("s3://b", Get.parameter("Nope")))], "there is no parameter Nope"),
        ([training("A", after=("B",)), training("B", after=("A",))], "steps wait for each other: "),
        ([training("A", X={"Get": "Nowhere.X"})], "step A: {'Get': 'Nowhere.X'} is not a reference"),
        ([training("A", X=Get.step("A", "ModelArtifacts"))], "steps wait for each other: A -> A"),
    ],
)
def test_what_does_not_hang_together_is_refused_with_place_and_hint(steps, message):
    with pytest.raises(InvalidDefinition) as error:
        PipelineDefinition(parameters=(Parameter(name="Answer"),), steps=steps)
    assert message in str(error.value)


def test_everything_wrong_is_told_at_once():
    with pytest.raises(InvalidDefinition, match=r"no step X.*no parameter Y"):
        PipelineDefinition(steps=(training("A", after=("X",)), training("B", Z=Get.parameter("Y"))))


def test_a_definition_longer_than_sagemaker_takes_is_refused():
    with pytest.raises(InvalidDefinition, match=r"1,\d{3},\d{3} characters; SageMaker takes 1,048,576"):
        PipelineDefinition(steps=(training("A", X="x" * 1_048_576),)).to_json()


def test_a_step_in_a_branch_waits_for_its_condition():
    choose = ConditionStep(
        name="Choose",
        arguments=ConditionArguments(
            conditions=(Comparison(type="Equals", left_value=1, right_value=1),), if_steps=(training("Inner"),)
        ),
    )
    assert PipelineDefinition(steps=(choose,)).graph() == {"Choose": set(), "Inner": {"Choose"}}


def test_a_retry_policy_without_an_end_is_refused():
    document = json.loads(PipelineDefinition(steps=(training("A"),)).to_json())
    document["Steps"][0]["RetryPolicies"] = [{"ExceptionType": ["Step.THROTTLING"]}]
    with pytest.raises(InvalidDefinition, match="a retry policy needs MaxAttempts or ExpireAfterMin"):
        PipelineDefinition.parse(json.dumps(document))


def test_what_the_sagemaker_sdk_writes_is_understood():
    """The file holds what `sagemaker.workflow` 2.257.7 wrote for one pipeline with all we support in it."""
    written = (Path(__file__).parent / "sagemaker-sdk-2.257.7.json").read_text()
    definition = PipelineDefinition.parse(written)
    check_steps(definition)
    assert json.loads(definition.to_json()) == json.loads(written)
    assert definition.graph() == {
        "Prep": set(),
        "Train": {"Prep"},
        "Gate": {"Prep"},
        "Reg-RegisterModel": {"Prep", "Train", "Gate"},
        "No": {"Prep", "Gate"},
    }


def test_a_path_is_read_member_by_member():
    path = Get.step("Prepare", "ProcessingOutputConfig.Outputs['train-set'].S3Output.S3Uri").path
    assert path == ("ProcessingOutputConfig", "Outputs", "train-set", "S3Output", "S3Uri")
    assert JsonGet.of("P", "F", "metrics[0].value").path == ("metrics", 0, "value")


def test_references_are_found_wherever_they_are():
    inner = Get.parameter("P")
    document = {"a": [{"b": Join.of("s3:/", inner).to_json()}]}
    assert list(find(document)) == [Join.of("s3:/", inner), inner]
    assert parse({"Get": "Parameters.P", "Other": 1}) is None
