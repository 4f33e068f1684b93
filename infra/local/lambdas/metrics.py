"""What Lambda publishes of a function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from typing import Final, Literal

from infra.local.cloud import LocalCloud

Name = Literal["Invocations", "Errors", "Duration", "AsyncEventsDropped", "DestinationDeliveryFailures"]
NAMESPACE: Final = "AWS/Lambda"
MILLISECONDS: Final = ("Duration",)


def publish(cloud: LocalCloud, function: str, values: dict[Name, float]) -> None:
    """Publish one value of each of these metrics, by the function's name."""
    dimensions = [{"Name": "FunctionName", "Value": function}]
    data = [
        {
            "MetricName": name,
            "Value": value,
            "Unit": "Milliseconds" if name in MILLISECONDS else "Count",
            "Dimensions": dimensions,
        }
        for name, value in values.items()
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
