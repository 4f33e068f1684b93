"""Whose answers are compared: groups that a decision should not depend on."""

from collections.abc import Iterator, Sequence

from infra.config.base import Broken, Columns, Count, Section
from training.contract import Problem

CLASSIFICATION = "binary-classification"


class BiasConfig(Section):
    """Whether a classifier's answers differ by group."""

    groups: Columns
    """Categorical features whose categories are the groups, such as [country]."""
    minimum_group_rows: Count = 30
    """Smaller groups are shown, but not compared: their rates are chance."""

    def broken_rules(self) -> Iterator[Broken]:
        """There is a column to compare by."""
        if not self.groups:
            yield Broken((("groups", "is empty: name a categorical feature, or remove bias from monitoring"),))


def groups_problems(bias: BiasConfig, categorical: Sequence[str], problem: Problem | None) -> list[Broken]:
    """What does not go with the model: only what is captured can be looked at, and only a decision can be unfair."""
    strangers = [(place, name) for place, name in enumerate(bias.groups) if name not in categorical]
    broken = [
        Broken(
            (
                (
                    f"monitoring.bias.groups[{place}]",
                    f'is "{name}", which is no categorical feature: {_fix(categorical)}',
                ),
            )
        )
        for place, name in strangers
    ]
    if problem is not None and problem != CLASSIFICATION:
        message = f"is set but the problem is {problem}, which has no decision: remove it"
        broken.append(Broken((("monitoring.bias", message),)))
    return broken


def _fix(categorical: Sequence[str]) -> str:
    return f"take {' or '.join(categorical)}" if categorical else "the model has none, so remove bias from monitoring"
