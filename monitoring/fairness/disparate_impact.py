"""Disparate impact: the lowest group's share of answers of 1 as a part of the highest's.

Sources: Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D (1978), for the four-fifths rule, by which
less than 0.8 is evidence of adverse impact; Feldman et al., Certifying and removing disparate impact (2015).
"""

from monitoring.fairness.rates import LARGE_ENOUGH, extremes
from monitoring.statistics.statistic import Counts


def disparate_impact(counts: Counts, least_rows: int = LARGE_ENOUGH) -> float | None:
    """The lowest share over the highest, from 0 to 1 (equal); 1 where no group has an answer of 1.

    Args:
        counts: Rows answered 0 and 1, shape (groups, 2).
        least_rows: Smaller groups are left out.

    Returns:
        None with fewer than two groups that are large enough.
    """
    found = extremes(counts, least_rows)
    if found is None:
        return None
    lowest, highest = found
    return lowest / highest if highest else 1.0
