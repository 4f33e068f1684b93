"""The gate: whether a trained model is good enough to be registered, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.metrics import HIGHER_IS_BETTER
from training.spec import GateSpec


@dataclass(frozen=True)
class Decision:
    """The gate's answer and its reason, in one line."""

    passed: bool
    reason: str


def decide(gate: GateSpec, metrics: Mapping[str, float], champion: Mapping[str, float] | None) -> Decision:
    """Pass if the metric keeps its bound and is better than the champion's by the margin (as good, if that is zero)."""
    value = metrics[gate.metric]
    checks = [_against_bound(gate, value)]
    if champion is not None:
        checks.append(_against_champion(gate, value, champion[gate.metric]))
    failed = [check.reason for check in checks if not check.passed]
    reasons = failed or [check.reason for check in checks if check.reason]
    return Decision(not failed, f"{gate.metric} {value:.4f} {' and '.join(reasons)}".rstrip())


def _against_bound(gate: GateSpec, value: float) -> Decision:
    if gate.minimum is not None:
        passed = value >= gate.minimum
        return Decision(passed, f"{'>=' if passed else '<'} minimum {gate.minimum:.4f}")
    if gate.maximum is not None:
        passed = value <= gate.maximum
        return Decision(passed, f"{'<=' if passed else '>'} maximum {gate.maximum:.4f}")
    return Decision(passed=True, reason="has no bound to keep")


def _against_champion(gate: GateSpec, value: float, champion: float) -> Decision:
    gain = value - champion if gate.metric in HIGHER_IS_BETTER else champion - value
    by = f" by at least {gate.champion_margin:.4f}" if gate.champion_margin else ""
    if gain >= gate.champion_margin:
        verb = "beats" if gain > 0 else "equals"
        return Decision(passed=True, reason=f"{verb} the champion's {champion:.4f}{by}")
    return Decision(passed=False, reason=f"does not beat the champion's {champion:.4f}{by}")
