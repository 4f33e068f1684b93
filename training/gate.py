"""The gate: whether a trained model is good enough to be registered, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.contract import HIGHER_IS_BETTER
from training.spec import GateSpec


@dataclass(frozen=True)
class Decision:
    """The gate's answer and its reason, in one line."""

    passed: bool
    reason: str


def decide(gate: GateSpec, metrics: Mapping[str, float], champion: Mapping[str, float] | None) -> Decision:
    """Pass if the metric keeps its bound and is better than the champion's by the margin (as good, if that is zero)."""
    value = metrics[gate.metric]
    checks = []
    if gate.minimum is not None:
        checks.append(_at_least(value, gate.minimum))
    if gate.maximum is not None:
        checks.append(_at_most(value, gate.maximum))
    if champion is not None:
        checks.append(_against_champion(gate, value, champion[gate.metric]))
    decisive = [check for check in checks if not check.passed] or checks
    reasons = " and ".join(check.reason for check in decisive) or "has no bound to keep"
    return Decision(all(check.passed for check in checks), f"{gate.metric} {value:.4f} {reasons}")


def _at_least(value: float, minimum: float) -> Decision:
    passed = value >= minimum
    return Decision(passed, f"{'>=' if passed else '<'} minimum {minimum:.4f}")


def _at_most(value: float, maximum: float) -> Decision:
    passed = value <= maximum
    return Decision(passed, f"{'<=' if passed else '>'} maximum {maximum:.4f}")


def _against_champion(gate: GateSpec, value: float, champion: float) -> Decision:
    gain = value - champion if gate.metric in HIGHER_IS_BETTER else champion - value
    by = f" by at least {gate.champion_margin:.4f}" if gate.champion_margin else ""
    if gain >= gate.champion_margin:
        verb = "beats" if gain > 0 else "equals"
        return Decision(passed=True, reason=f"{verb} the champion's {champion:.4f}{by}")
    return Decision(passed=False, reason=f"does not beat the champion's {champion:.4f}{by}")
