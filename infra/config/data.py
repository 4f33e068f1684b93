"""What the model learns from: the labelled data's columns."""

from collections import Counter
from collections.abc import Iterator

from infra.config.base import Broken, Column, Columns, Section


class DataConfig(Section):
    """The columns of the labelled data that are not features."""

    label: Column
    """Column with the answer to learn."""
    time: Column
    """Column with the moment of each row; splits and drift windows go by it."""


class FeaturesConfig(Section):
    """The columns that the model sees, in the order in which requests carry them: numeric, then categorical."""

    numeric: Columns = ()
    """Columns with numbers; missing values are allowed."""
    categorical: Columns = ()
    """Columns with categories, as text."""

    @property
    def names(self) -> tuple[str, ...]:
        """All features, in the order in which requests carry them."""
        return self.numeric + self.categorical

    def broken_rules(self) -> Iterator[Broken]:
        """At least one feature, and none twice."""
        if not self.names:
            yield Broken((("numeric", "and categorical are both empty: name at least one feature"),))
        for name, times in Counter(self.names).items():
            if times > 1:
                yield self._duplicate(name)

    def _duplicate(self, name: str) -> Broken:
        kind = "categorical" if name in self.categorical else "numeric"
        last = len(getattr(self, kind)) - 1 - getattr(self, kind)[::-1].index(name)
        return Broken(((f"{kind}[{last}]", f'is "{name}", which is a feature already: name each feature once'),))
