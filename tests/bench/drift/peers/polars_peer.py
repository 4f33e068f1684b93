"""The bare limit by polars: its streaming engine counts values up to each edge, and categories."""

import polars as pl
from drift_peer import CATEGORICAL, NUMERIC, measure


def compute(reference, current, _):
    tenths = [pl.col(name).quantile(k / 10).alias(f"{name} {k}") for name in NUMERIC for k in range(1, 10)]
    edges = pl.scan_parquet(reference).select(tenths).collect().row(0, named=True)
    at_most = [(pl.col(edge.split()[0]) <= value).sum().alias(edge) for edge, value in edges.items()]
    missing = [pl.col(name).is_nan().sum().alias(f"{name} missing") for name in NUMERIC]
    plans = [pl.scan_parquet(current).select(*at_most, *missing)]
    plans += [pl.scan_parquet(current).group_by(name).len() for name in CATEGORICAL]
    pl.collect_all(plans, engine="streaming")


measure("polars", compute, read=str)
