"""One dashboard a model: traffic, errors and latency, capacity, drift."""

import json

from infra.constructs.metrics import Metric, endpoint_metric, monitoring_metric
from infra.provider import Construct, aws
from monitoring import contract

WIDTH, HEIGHT = 12, 6
HOUR, DAY = 3_600, 86_400


class Dashboard(Construct):
    """The same four pictures for every model, so that knowing one is knowing all."""

    def __init__(self, scope: Construct, id_: str, *, name: str, endpoint: str, region: str) -> None:
        super().__init__(scope, id_)
        pictures = [
            (
                "Requests",
                HOUR,
                [
                    endpoint_metric("Invocations", endpoint, "Sum"),
                    endpoint_metric("InvocationsPerInstance", endpoint, "Sum"),
                ],
            ),
            (
                "Errors (share of requests)",
                HOUR,
                [
                    endpoint_metric(name_, endpoint, "Average")
                    for name_ in ("Invocation5XXErrors", "Invocation4XXErrors")
                ],
            ),
            (
                "Model latency (microseconds)",
                HOUR,
                [endpoint_metric("ModelLatency", endpoint, statistic) for statistic in ("p50", "p99")],
            ),
            (
                "Drift (population stability index)",
                DAY,
                [
                    monitoring_metric(name_, endpoint)
                    for name_ in (contract.MAX_PSI_METRIC, contract.PREDICTION_PSI_METRIC)
                ],
            ),
        ]
        widgets = [_widget(place, *picture, region=region) for place, picture in enumerate(pictures)]
        aws.CloudwatchDashboard(self, "dashboard", dashboard_name=name, dashboard_body=json.dumps({"widgets": widgets}))


def _widget(place: int, title: str, period: int, metrics: list[Metric], *, region: str) -> dict[str, object]:
    properties = {
        "title": title,
        "region": region,
        "view": "timeSeries",
        "period": period,
        "metrics": [metric.widget_row() for metric in metrics],
    }
    position = {"x": WIDTH * (place % 2), "y": HEIGHT * (place // 2), "width": WIDTH, "height": HEIGHT}
    return {"type": "metric", **position, "properties": properties}
