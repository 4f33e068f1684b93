"""What the model learns from: customers of a shop, some of whom left."""

from datetime import datetime

import numpy as np
import polars as pl


def labelled(month, *, rows=1_500, moved=False):
    """A month of customers, and who left. Once the world has moved, ages are higher and the other half leaves."""
    random = np.random.default_rng(month)
    age, visits = random.normal(60 if moved else 40, 10, rows), random.poisson(4, rows).astype(float)
    odds = visits - 4 if moved else 4 - visits
    seconds = np.sort(random.integers(0, 28 * 86_400, rows))
    start = pl.lit(datetime(2020, month, 1)).dt.replace_time_zone("UTC")  # noqa: DTZ001 - the zone is given beside it
    return pl.DataFrame(
        {"age": age, "visits": visits, "left": (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)}
    ).with_columns(day=start + pl.duration(seconds=pl.Series(seconds)))
