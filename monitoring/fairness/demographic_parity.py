"""Demographic parity difference: how far apart groups are in the share of answers of 1.

Source: Dwork, Hardt, Pitassi, Reingold and Zemel, Fairness through awareness (2012), for statistical parity; Agarwal et
al., A reductions approach to fair classification (2018), for the difference of the extremes over several groups.
"""

from monitoring.fairness.rates import LARGE_ENOUGH, extremes
from monitoring.statistics.statistic import Counts


def demographic_parity_difference(counts: Counts, least_rows: int = LARGE_ENOUGH) -> float | None:
    """The highest group's share of answers of 1 less the lowest's, from 0 (equal) to 1.

    Args:
        counts: Rows answered 0 and 1, shape (groups, 2).
        least_rows: Smaller groups are left out.

    Returns:
        None with fewer than two groups that are large enough.
    """
    found = extremes(counts, least_rows)
    return None if found is None else found[1] - found[0]
