"""How far a window's distribution lies from the baseline's: one statistic a file, found here by name.

A statistic sees counts over the same frozen bins, so counts of several files or hosts can be added before it is
computed. To add one: write `monitoring/statistics/<name>.py` with a pure function and its `Statistic`, and list it in
`STATISTICS`.
"""

from typing import Final

from monitoring.statistics.psi import PSI
from monitoring.statistics.statistic import Counts, Statistic

__all__ = ["PSI", "STATISTICS", "Counts", "Statistic"]

STATISTICS: Final = {statistic.name: statistic for statistic in (PSI,)}
