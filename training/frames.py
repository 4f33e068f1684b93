"""Tables: labelled data in, the model's matrix or the served CSV out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from serving.core.booster import Matrix
from serving.core.signature import Signature
from training.errors import JobError
from training.spec import TrainingSpec

SUFFIX: Final = ".parquet"
TIME: Final = pl.Datetime("us", "UTC")


def partitions(folder: Path) -> list[Path]:
    """The data's Parquet files, by name.

    Raises:
        JobError: there are none.
    """
    files = sorted(folder.rglob(f"*{SUFFIX}"))
    if not files:
        raise JobError(f"the data has no {SUFFIX} file: one a partition is expected")
    return files


def read(file: Path, spec: TrainingSpec) -> pl.DataFrame:
    """One file's features, label and time: numbers as float64, categories as text, moments in UTC.

    Raises:
        JobError: not Parquet, a missing column, a column of another type, a null label or time.
    """
    columns = [*spec.features, spec.label, spec.time]
    try:
        frame = pl.read_parquet(file)
    except (PolarsError, OSError) as error:
        raise JobError(f"{file.name} is not a readable Parquet file: {str(error).splitlines()[0]}") from None
    if missing := [name for name in columns if name not in frame.columns]:
        raise JobError(f"{file.name} lacks the column {missing[0]}: it has {', '.join(frame.columns)}")
    typed = [
        *(_number(frame, name, file) for name in spec.numeric),
        *(_category(frame, name, file) for name in spec.categorical),
        _label(frame, spec, file),
        _time(frame, spec.time, file),
    ]
    return pl.DataFrame(typed)


def matrix(frame: pl.DataFrame, signature: Signature) -> Matrix:
    """The model's (rows, inputs) matrix, coded as `serving.core` codes requests."""
    columns = [
        pl.col(one.name)
        if one.type == "numeric"
        else pl.col(one.name).replace_strict(
            list(one.categories), list(range(len(one.categories))), default=None, return_dtype=pl.Float64
        )
        for one in signature.inputs
    ]
    return frame.select(columns).cast(pl.Float64).to_numpy(order="c")


def to_csv(frame: pl.DataFrame, columns: Sequence[str]) -> bytes:
    """Rows as a client would send them: CSV without a header, in that order."""
    return frame.select(columns).write_csv(include_header=False).encode()


def _number(frame: pl.DataFrame, name: str, file: Path) -> pl.Series:
    column = frame[name]
    if not (column.dtype.is_numeric() or isinstance(column.dtype, pl.Boolean | pl.Null)):
        raise JobError(f"{file.name}: the column {name} is of type {column.dtype}: a number is expected")
    return column.cast(pl.Float64)


def _category(frame: pl.DataFrame, name: str, file: Path) -> pl.Series:
    column = frame[name]
    textual = isinstance(column.dtype, pl.String | pl.Categorical | pl.Enum | pl.Null)
    if not (textual or column.dtype.is_integer()):
        raise JobError(f"{file.name}: the column {name} is of type {column.dtype}: categories as text are expected")
    text = column.cast(pl.String)
    return text.set(text == "", None)


def _label(frame: pl.DataFrame, spec: TrainingSpec, file: Path) -> pl.Series:
    label = _number(frame, spec.label, file)
    if nulls := label.null_count() + label.is_nan().sum():
        raise JobError(f"{file.name}: the label {spec.label} is null in {nulls} of {len(label)} rows")
    if spec.problem == "binary-classification" and not label.is_in([0.0, 1.0]).all():
        wrong = label.filter(~label.is_in([0.0, 1.0]))[0]
        raise JobError(f"{file.name}: the label {spec.label} is {wrong:g} in a row: it must be 0 or 1")
    if not label.is_finite().all():
        raise JobError(f"{file.name}: the label {spec.label} is infinite in a row")
    return label


def _time(frame: pl.DataFrame, name: str, file: Path) -> pl.Series:
    column = frame[name]
    try:
        if isinstance(column.dtype, pl.String):
            column = column.str.to_datetime(time_unit="us", time_zone="UTC")
        elif isinstance(column.dtype, pl.Date | pl.Datetime):
            zone = getattr(column.dtype, "time_zone", None)
            moments = column.cast(pl.Datetime("us", zone))
            column = moments.dt.convert_time_zone("UTC") if zone else moments.dt.replace_time_zone("UTC")
        else:
            raise JobError(f"{file.name}: the time column {name} is of type {column.dtype}: a moment is expected")
    except PolarsError as error:
        reason = str(error).splitlines()[0]
        raise JobError(f"{file.name}: the time column {name} is not all ISO 8601: {reason}") from None
    if nulls := column.null_count():
        raise JobError(f"{file.name}: the time column {name} is null in {nulls} of {len(column)} rows")
    return column.cast(TIME)
