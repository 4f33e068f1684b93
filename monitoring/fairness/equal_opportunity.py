"""Equal opportunity difference: how far apart groups are in the share of true 1s that are answered 1.

Source: Hardt, Price and Srebro, Equality of opportunity in supervised learning (2016).
"""

from monitoring.fairness.rates import LARGE_ENOUGH, extremes
from monitoring.statistics.statistic import Counts


def equal_opportunity_difference(counts: Counts, least_rows: int = LARGE_ENOUGH) -> float | None:
    """The highest group's true positive rate less the lowest's, from 0 (equal) to 1.

    Args:
        counts: Rows by label and by answer, shape (groups, 2, 2).
        least_rows: Groups with fewer rows labelled 1 are left out.

    Returns:
        None with fewer than two groups that are large enough.
    """
    found = extremes(counts[:, 1], least_rows)
    return None if found is None else found[1] - found[0]
