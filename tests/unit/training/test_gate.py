"""The gate passes what keeps its bound and is no worse than the champion, and says why in a line."""

import pytest

from training.gate import decide
from training.spec import GateSpec

AUC = GateSpec("auc", minimum=0.6)
CLEARLY = GateSpec("auc", champion_margin=0.01)
RMSE = GateSpec("rmse", maximum=10.0)


@pytest.mark.parametrize(
    ("gate", "value", "champion", "passed", "reason"),
    [
        (AUC, 0.72, None, True, "auc 0.7200 >= minimum 0.6000"),
        (AUC, 0.6, None, True, "auc 0.6000 >= minimum 0.6000"),
        (AUC, 0.59, None, False, "auc 0.5900 < minimum 0.6000"),
        (AUC, 0.72, 0.7, True, "auc 0.7200 >= minimum 0.6000 and beats the champion's 0.7000"),
        (AUC, 0.7, 0.7, True, "auc 0.7000 >= minimum 0.6000 and equals the champion's 0.7000"),
        (AUC, 0.69, 0.7, False, "auc 0.6900 does not beat the champion's 0.7000"),
        (AUC, 0.5, 0.7, False, "auc 0.5000 < minimum 0.6000 and does not beat the champion's 0.7000"),
        (CLEARLY, 0.705, 0.7, False, "auc 0.7050 does not beat the champion's 0.7000 by at least 0.0100"),
        (CLEARLY, 0.715, 0.7, True, "auc 0.7150 beats the champion's 0.7000 by at least 0.0100"),
        (GateSpec("auc"), 0.5, None, True, "auc 0.5000 has no bound to keep"),
        (RMSE, 9.0, 9.5, True, "rmse 9.0000 <= maximum 10.0000 and beats the champion's 9.5000"),
        (RMSE, 9.6, 9.5, False, "rmse 9.6000 does not beat the champion's 9.5000"),
        (RMSE, 11.0, None, False, "rmse 11.0000 > maximum 10.0000"),
    ],
)
def test_the_gate_decides_and_says_why(  # noqa: PLR0917 - a table's columns
    gate: GateSpec, value: float, champion: float | None, passed: object, reason: str
) -> None:
    other = None if champion is None else {gate.metric: champion}
    decision = decide(gate, {gate.metric: value}, other)
    assert (decision.passed, decision.reason) == (passed, reason)
