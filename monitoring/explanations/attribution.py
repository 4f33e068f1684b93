"""How much each input moves the score, and how far the order of inputs by that lies from the baseline's.

Sources: Lundberg et al., From local explanations to global understanding with explainable AI for trees (2020), for
TreeSHAP and for mean absolute contributions; Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques
(2002), for the discounted cumulative gain; https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
for both together, and for 0.9 as the value below which there is drift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from monitoring.statistics.statistic import Values

DRIFTED_BELOW: Final = 0.9


def mean_absolute(contributions: Values) -> Values:
    """How far each input moves the raw score on average, whichever way.

    Args:
        contributions: As `Predictor.contributions` gives them: shape (rows, inputs + 1), in log-odds for a
            classification; the last column is what all rows share, and is left out.

    Returns:
        Shape (inputs,), in the same unit.
    """
    return np.asarray(np.abs(contributions[:, :-1]).mean(axis=0))


def ranking_agreement(baseline: Values, current: Values) -> float:
    """The baseline's contributions cumulated in the current order, discounted by place, as a part of the best order's.

    Args:
        baseline: Mean absolute contributions, shape (inputs,).
        current: Those of a window.

    Returns:
        1 where the orders are the same; below, the more weight the baseline's weightiest inputs have lost. 1 too where
        the baseline goes by no input at all.
    """
    places = 1 / np.log2(np.arange(2, len(baseline) + 2))
    best = float((np.sort(baseline)[::-1] * places).sum())
    in_order = np.argsort(-current, kind="stable")
    return float((baseline[in_order] * places).sum()) / best if best else 1.0


@dataclass(frozen=True)
class Attribution:
    """Mean absolute contributions by input, shape (inputs,), of so many rows."""

    rows: int
    mean_absolute: Values

    def to_json(self, names: Sequence[str]) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        return {"rows": self.rows, "mean_absolute": dict(zip(names, self.mean_absolute.tolist(), strict=True))}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], names: Sequence[str]) -> "Attribution":
        """What `to_json` made of the same inputs."""
        known = document["mean_absolute"]
        return cls(int(document["rows"]), np.array([float(known[name]) for name in names]))
