import json
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.pipelines import InvalidDefinition, Parameter, PipelineDefinition
from infra.pipelines.references import Get, Join, parse
from infra.pipelines.service_model import compiled, input_shape, shape
from infra.pipelines.validator import NAMED_BY_SAGEMAKER, OPERATIONS, check_request, check_steps, problems_of

GOLDEN = Path(__file__).parents[3] / "synth" / "golden" / "flight-delay.pipeline.json"


@pytest.fixture
def edited(pipeline):
    """The reference pipeline with one step's arguments changed by a function, checked."""

    def check(step, change, parameters=()):
        document = json.loads(pipeline().to_json())
        steps = document["Steps"] + [s for c in document["Steps"] for s in c["Arguments"].get("IfSteps", [])]
        change(next(found for found in steps if found["Name"] == step)["Arguments"])
        document["Parameters"] += [p.model_dump(by_alias=True, exclude_none=True) for p in parameters]
        check_steps(PipelineDefinition.parse(json.dumps(document)))

    return check


@pytest.mark.parametrize(
    ("step", "change", "message"),
    [
        (
            "ValidateData",
            lambda a: a.update(NetworkConfg={}),
            "step ValidateData: NetworkConfg is not known; did you mean NetworkConfig?",
        ),
        (
            "ValidateData",
            lambda a: a["ProcessingResources"]["ClusterConfig"].update(InstanceCount="one"),
            "ProcessingResources.ClusterConfig.InstanceCount is 'one' but must be a whole number",
        ),
        ("ValidateData", lambda a: a.pop("RoleArn"), "step ValidateData: RoleArn is missing"),
        (
            "ValidateData",
            lambda a: a["Environment"].update(LONG="x" * 257),
            "Environment.LONG has 257 characters but the most is 256",
        ),
        (
            "ValidateData",
            lambda a: a["ProcessingInputs"][0]["S3Input"].update(S3InputMode="Fiel"),
            "ProcessingInputs[0].S3Input.S3InputMode is 'Fiel', which SageMaker does not know; did you mean File?",
        ),
        (
            "TrainModel",
            lambda a: a["AlgorithmSpecification"].update(TrainingImge="x"),
            "AlgorithmSpecification.TrainingImge is not known; did you mean TrainingImage?",
        ),
        (
            "TrainModel",
            lambda a: a["HyperParameters"].update(num_leaves=31),
            "HyperParameters.num_leaves is 31 but must be text",
        ),
        ("TrainModel", lambda a: a.update(EnableNetworkIsolation=1), "EnableNetworkIsolation is 1 but must be true or"),
        ("TrainModel", lambda a: a.pop("OutputDataConfig"), "step TrainModel: OutputDataConfig is missing"),
        (
            "TrainModel",
            lambda a: a["ResourceConfig"].update(VolumeSizeInGB=-1),
            "ResourceConfig.VolumeSizeInGB is -1 but the least is 0",
        ),
        ("TrainModel", lambda a: a.update(RoleArn="jobs"), "RoleArn"),
        (
            "RegisterModel",
            lambda a: a.update(ModelAprovalStatus="Approved"),
            "step RegisterModel: ModelAprovalStatus is not known; did you mean ModelApprovalStatus?",
        ),
        (
            "RegisterModel",
            lambda a: a["CustomerMetadataProperties"].update(trained_on="2013-01,2013-02"),
            "CustomerMetadataProperties.trained_on is '2013-01,2013-02', which does not match",
        ),
        (
            "RegisterModel",
            lambda a: a["InferenceSpecification"].pop("Containers"),
            "InferenceSpecification.Containers is missing",
        ),
        ("RegisterModel", lambda a: a.update(ModelMetrics=[]), "ModelMetrics is [] but must be an object"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_with_step_path_and_rule(edited, step, change, message):
    with pytest.raises(InvalidDefinition) as error:
        edited(step, change)
    assert message in str(error.value)


def test_a_reference_stands_for_a_value_of_its_type(edited):
    count = Parameter(name="Count", type="Integer", default_value=1)

    def use(reference):
        return lambda a: a["ProcessingResources"]["ClusterConfig"].update(InstanceCount=reference.to_json())

    edited("ValidateData", use(Get.parameter("Count")), [count])
    for wrong in (Get.parameter("StartedBy"), Join.of("1")):
        with pytest.raises(InvalidDefinition, match=r"InstanceCount is .* but must be a whole number"):
            edited("ValidateData", use(wrong), [count])


def test_strings_that_terraform_will_fill_in_are_not_measured(edited):
    edited("TrainModel", lambda a: a.update(RoleArn="${aws_iam_role.jobs.arn}"))


def test_a_whole_request_needs_its_name():
    with pytest.raises(InvalidDefinition, match="CreateProcessingJob request is not valid: ProcessingResources is"):
        check_request("CreateProcessingJob", {"ProcessingJobName": "x"})
    with pytest.raises(InvalidDefinition, match="ProcessingJobName is missing"):
        check_request("CreateProcessingJob", {})


def test_aws_patterns_for_letters_of_any_language_are_read():
    assert compiled(shape("CustomerMetadataValue")["pattern"]).fullmatch("Grüße 2013-01 s3://a/b@c=+_.")
    assert not compiled(shape("CustomerMetadataValue")["pattern"]).fullmatch("a,b")
    assert compiled("[\\p{Alnum}]") is None


@pytest.fixture(scope="module")
def requests():
    """Each job step's type and arguments, in the golden definition."""
    steps = PipelineDefinition.parse(GOLDEN.read_text()).all_steps().values()
    return [(step.type, step.arguments) for step in steps if step.type in OPERATIONS]


def filled_in(node):
    """`node` with text in place of references, which botocore does not know."""
    if parse(node) is not None:
        return "s3://bucket/key"
    if isinstance(node, dict):
        return {key: filled_in(value) for key, value in node.items()}
    return [filled_in(value) for value in node] if isinstance(node, list) else node


SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")
DAMAGES = st.sampled_from(["drop", "rename", "retype"])


@settings(deadline=None)
@given(data=st.data())
def test_what_botocores_own_validator_refuses_is_refused(data, requests):
    kind, original = requests[data.draw(st.integers(0, len(requests) - 1))]
    arguments = filled_in(original)
    node, path = arguments, []
    while isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(sorted(node)) if isinstance(node, dict) else st.integers(0, len(node) - 1))
        path.append((node, key))
        node = node[key]
        if data.draw(st.booleans()):
            break
    parent, key = path[-1]
    match data.draw(DAMAGES):
        case "drop":
            del parent[key]
        case "rename" if isinstance(parent, dict):
            parent[f"{key}X"] = parent.pop(key)
        case _:
            parent[key] = data.draw(st.sampled_from([1, "text", True, [], {}, 1.5]))
    model = SAGEMAKER.operation_model(OPERATIONS[kind]).input_shape
    named = {name: "a-name" for name in NAMED_BY_SAGEMAKER if name in model.members}
    refused = ParamValidator().validate(named | arguments, model).has_errors()
    found = list(problems_of(OPERATIONS[kind], arguments, given=NAMED_BY_SAGEMAKER))
    assert found or not refused


def test_the_service_model_has_every_operation_we_use():
    assert all(shape(input_shape(operation))["type"] == "structure" for operation in OPERATIONS.values())
