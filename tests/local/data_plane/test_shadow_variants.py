import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from infra.local.endpoints.shadow import Shadow


@pytest.fixture
def shadowed(deployment):
    """Begin an endpoint whose shadow has half the weight of production, so half of its requests."""

    def create(weight=0.5, **behaviour):
        production, shadow = deployment.model(), deployment.model("v2", **behaviour)
        variants = [deployment.variant("next", shadow, weight)]
        deployment.config(
            variants=[("main", production, 1)], ShadowProductionVariants=variants, **deployment.capturing()
        )
        deployment.create()
        return deployment

    return create


def test_a_shadow_gets_its_share_of_requests_and_its_answers_are_captured_and_never_returned(shadowed):
    deployment = shadowed()
    answers = [deployment.invoke(InferenceId=f"flight-{number}") for number in range(6)]
    assert {answer["InvokedProductionVariant"] for answer in answers} == {"main"}
    deployment.cloud.settle()
    production = {record["eventMetadata"]["inferenceId"]: record for record in deployment.captured()[1]}
    copies = deployment.captured("next")[1]
    assert (len(production), len(copies)) == (6, 3)
    for copy in copies:
        metadata = copy["eventMetadata"]
        original = production[metadata["inferenceId"]]
        assert metadata["eventId"] == original["eventMetadata"]["eventId"]
        assert metadata["invocationSource"] == "ShadowExperiment"
        assert copy["captureData"]["endpointInput"] == original["captureData"]["endpointInput"]
        assert '"model": "v2"' in copy["captureData"]["endpointOutput"]["data"]


@pytest.mark.parametrize("behaviour", [{"seconds": 2}, {"crash": True}], ids=["slow", "crashing"])
def test_a_shadow_in_trouble_neither_slows_nor_fails_the_caller(shadowed, behaviour):
    deployment = shadowed(weight=1, **behaviour)
    answers = [deployment.ask() for _ in range(3)]
    assert [answer["model"] for answer in answers] == ["v1"] * 3
    assert any("shadow variant next" in what for what in deployment.cloud.handle.status()["under_way"])


def test_a_shadow_is_described_beside_production_and_cannot_be_called(shadowed):
    deployment = shadowed()
    (shadow,) = deployment.describe()["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentWeight"], shadow["CurrentInstanceCount"]) == ("next", 0.5, 1)
    with pytest.raises(ClientError, match="Variant next not found"):
        deployment.invoke(TargetVariant="next")


def test_a_shadows_share_changes_with_its_weight(shadowed):
    deployment = shadowed()
    deployment.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=deployment.name, DesiredWeightsAndCapacities=[{"VariantName": "next", "DesiredWeight": 0}]
    )
    deployment.cloud.settle()
    deployment.invoke()
    deployment.cloud.settle()
    assert deployment.captured("next") == ([], [])


class Weighted:
    """A variant as far as a shadow's sample looks at it."""

    def __init__(self, weight):
        self.weight = weight


@given(percent=st.integers(0, 100), requests=st.integers(1, 400))
def test_the_copied_share_is_exact_for_any_number_of_requests(percent, requests):
    shadow = Shadow(Weighted(percent / 100), 1.0)
    assert sum(shadow.is_sampled() for _ in range(requests)) == requests * percent // 100
