"""One dashboard a model: what its kind of endpoint shows, and drift where it is measured."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from infra.constructs.metrics import Metric, monitoring_metric, quality_metric
from infra.provider import Construct, aws
from monitoring import contract

WIDTH, HEIGHT = 12, 6
HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class Picture:
    """One widget: a title that says the unit, a period in seconds, and the metrics."""

    title: str
    period: int
    metrics: Sequence[Metric]


class Dashboard(Construct):
    """Two pictures a row, the same ones for every model of a kind, so that knowing one is knowing all."""

    def __init__(self, scope: Construct, id_: str, *, name: str, region: str, pictures: Sequence[Picture]) -> None:
        super().__init__(scope, id_)
        widgets = [_widget(place, picture, region) for place, picture in enumerate(pictures)]
        aws.CloudwatchDashboard(self, "dashboard", dashboard_name=name, dashboard_body=json.dumps({"widgets": widgets}))


def drift_picture(endpoint: str) -> Picture:
    """How far features and predictions have moved."""
    names = (contract.MAX_PSI_METRIC, contract.PREDICTION_PSI_METRIC)
    return Picture("Drift (population stability index)", DAY, [monitoring_metric(name, endpoint) for name in names])


def quality_picture(endpoint: str, metric: str) -> Picture:
    """How good the answers were: the watched metric, and what it seems to be without labels."""
    names = (contract.QUALITY_VALUE_METRIC, contract.QUALITY_AT_BEST_METRIC, contract.QUALITY_ESTIMATE_METRIC)
    return Picture(f"Quality ({metric})", DAY, [quality_metric(name, endpoint, metric) for name in names])


def labels_picture(endpoint: str) -> Picture:
    """How many answers had a label."""
    return Picture("Labelled rows", DAY, [monitoring_metric(contract.LABELLED_ROWS_METRIC, endpoint)])


def _widget(place: int, picture: Picture, region: str) -> dict[str, object]:
    properties = {
        "title": picture.title,
        "region": region,
        "view": "timeSeries",
        "period": picture.period,
        "metrics": [metric.widget_row() for metric in picture.metrics],
    }
    position = {"x": WIDTH * (place % 2), "y": HEIGHT * (place // 2), "width": WIDTH, "height": HEIGHT}
    return {"type": "metric", **position, "properties": properties}
