"""How far a window's distribution lies from the baseline's: one statistic a file, found here by name.

A statistic sees counts over the same frozen bins, so counts of several files or hosts can be added before it is
computed. To add one: write `monitoring/statistics/<name>.py` with a pure function and its `Statistic`, list it in
`STATISTICS`, and let `infra/config/monitoring.py` accept its name.
"""

from typing import Final

from monitoring.statistics.chi_square import CHI_SQUARE
from monitoring.statistics.components import COMPONENTS
from monitoring.statistics.deviance import DEVIANCE
from monitoring.statistics.jensen_shannon import JENSEN_SHANNON
from monitoring.statistics.kolmogorov_smirnov import KOLMOGOROV_SMIRNOV
from monitoring.statistics.psi import PSI
from monitoring.statistics.statistic import Counts, Statistic
from monitoring.statistics.wasserstein import WASSERSTEIN

__all__ = ["COMPONENTS", "DEVIANCE", "PSI", "STATISTICS", "Counts", "Statistic"]

STATISTICS: Final = {
    statistic.name: statistic
    for statistic in (PSI, COMPONENTS, DEVIANCE, JENSEN_SHANNON, KOLMOGOROV_SMIRNOV, WASSERSTEIN, CHI_SQUARE)
}
