"""An asynchronous endpoint that has no instance while there is nothing to do, and one when there is."""

import json

import pytest

from tests.local.data_plane.scaled import Scaling

OUT = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


@pytest.fixture
def scaling(deployment, unique):
    deployment.model()
    output = {"S3OutputPath": f"s3://{deployment.name}/answers"}
    deployment.config(AsyncInferenceConfig={"OutputConfig": output})
    deployment.create()
    return Scaling(deployment, unique)


def ask(live):
    live.cloud.put(f"s3://{live.name}/request.csv", b"1,2")
    return live.cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=live.name, InputLocation=f"s3://{live.name}/request.csv", ContentType="text/csv"
    )["OutputLocation"]


def scale_by_backlog(scaling):
    """As AWS's documentation has it: track the backlog per instance, and come back from nothing by a step."""
    dimensions = [{"Name": "EndpointName", "Value": scaling.live.name}]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "ApproximateBacklogSizePerInstance", "Statistic": "Average"}
    tracked = {"TargetValue": 5.0, "CustomizedMetricSpecification": metric | {"Dimensions": dimensions}}
    scaling.put("backlog", "TargetTrackingScaling", tracked | {"ScaleInCooldown": 300})
    scaling.live.cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{scaling.live.name}-HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        AlarmActions=[scaling.step(OUT, name="from-zero")],
    )


def test_an_idle_asynchronous_endpoint_goes_down_to_nothing_and_comes_back_for_a_request(scaling):
    live = scaling.live
    scaling.register(least=0, most=2)
    scale_by_backlog(scaling)
    ask(live)
    live.cloud.advance(seconds=20 * 60)
    assert scaling.instances() == 0
    answer = ask(live)
    live.cloud.advance(seconds=3 * 60)
    assert scaling.instances() == 1
    assert json.loads(live.cloud.get(answer))["model"] == "v1"
    newest, before = scaling.activities()
    assert newest["Cause"].endswith("-HasBacklogWithoutCapacity in state ALARM triggered policy from-zero")
    assert "triggered policy backlog" in before["Cause"]
