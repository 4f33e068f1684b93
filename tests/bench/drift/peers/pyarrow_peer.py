"""The bare limit: pyarrow's row groups on two threads, bins counted by NumPy, categories by their dictionaries."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.parquet as pq
from drift_peer import CATEGORICAL, NUMERIC, measure


def compute(reference, current, _):
    then = pq.read_table(reference)
    edges = {name: np.quantile(then[name].to_numpy(), np.arange(1, 10) / 10) for name in NUMERIC}

    def count(group):
        rows = pq.ParquetFile(current, read_dictionary=CATEGORICAL).read_row_group(group, use_threads=False)
        for name in NUMERIC:
            column = rows[name].to_numpy()
            np.isnan(column).sum()
            for edge in edges[name]:
                np.count_nonzero(column <= edge)
        for name in CATEGORICAL:
            for chunk in rows[name].chunks:
                np.bincount(chunk.indices.to_numpy())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, range(pq.ParquetFile(current).num_row_groups)))


measure("pyarrow", compute, read=str)
