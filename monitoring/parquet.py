"""Rows of a window as Parquet: of a batch, or of an endpoint that somebody else records."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from monitoring.baseline_document import Baseline
from monitoring.counting import Part
from monitoring.errors import MonitoringError
from monitoring.tally import Tally
from monitoring.threads import PROCESSORS, side_by_side
from serving.core.signature import SCORE

ROWS: Final = 131_072
"""Rows at a time, sliced off one by one: polars' own batches pile up in memory where it reads faster than we count."""


def count_parquet(files: Sequence[Path], baseline: Baseline) -> Part:
    """Count every row of `files`: a column an input of the model, and `score` if there is one.

    Raises:
        MonitoringError: a file cannot be read, lacks an input, or has one of another type.
    """

    def count(rows: pl.DataFrame) -> Part:
        return Part.of(baseline, rows, rows[SCORE], Tally(read=len(rows), used=len(rows), rows=len(rows)))

    parts = side_by_side(count, _batches(files, baseline), threads=PROCESSORS)
    return sum(parts, replace(Part.empty(baseline), tally=Tally(files=len(files))))


def _batches(files: Sequence[Path], baseline: Baseline) -> Iterator[pl.DataFrame]:
    for file in files:
        try:
            columns = _columns(file, baseline.schema)
            rows = pl.scan_parquet(file).select(pl.len()).collect().item()
            for start in range(0, rows, ROWS):
                yield pl.scan_parquet(file).select(columns).slice(start, ROWS).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise MonitoringError(
                f"{file.name} is no readable Parquet file: {str(error).partition(chr(10))[0]}"
            ) from error


def _columns(file: Path, inputs: pl.Schema) -> list[pl.Expr]:
    found = pl.read_parquet_schema(file)
    if missing := [name for name in inputs if name not in found]:
        raise MonitoringError(f"{file.name} lacks the model's input {', '.join(missing)}")
    score = pl.col(SCORE) if SCORE in found else pl.lit(None, pl.Float64).alias(SCORE)
    wanted = {**inputs, SCORE: pl.Float64}
    for name, kind in wanted.items():
        if name in found and not _is(kind, found[name]):
            meant = "a number" if kind == pl.Float64 else "text or a whole number"
            raise MonitoringError(f"{file.name}: {name} is {found[name]}: must be {meant}")
    return [pl.col(name).cast(kind) for name, kind in inputs.items()] + [score.cast(pl.Float64)]


def _is(kind: object, found: pl.DataType) -> bool:
    if kind == pl.Float64:
        return found.is_numeric() or found == pl.Boolean
    return found in (pl.String, pl.Categorical, pl.Enum) or found.is_integer()
