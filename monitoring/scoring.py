"""The model that is monitored, as the endpoint loads it, and rows as it takes them."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from monitoring.errors import MonitoringError
from serving.core.artifact import unpack
from serving.core.booster import Matrix
from serving.core.predictor import Predictor
from serving.core.signature import Signature


def load_predictor(folder: Path) -> Predictor:
    """The model whose archive lies in `folder`.

    Raises:
        MonitoringError: there is no archive, or there are several.
        ArtifactError: it cannot be loaded.
    """
    archives = sorted(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        raise MonitoringError(f"{len(archives)} model archives (*.tar.gz) in {folder}: one belongs there")
    with tempfile.TemporaryDirectory() as unpacked:
        unpack(archives[0], Path(unpacked))
        return Predictor.load(Path(unpacked))


def matrix(rows: pl.DataFrame, signature: Signature) -> Matrix:
    """Rows as the model's (rows, inputs) matrix; a category's code is its index, as `signature.json` says."""
    columns = [
        rows[one.name].cast(pl.Float64) if one.type == "numeric" else _codes(rows[one.name], one.categories)
        for one in signature.inputs
    ]
    return np.column_stack([column.to_numpy() for column in columns])


def _codes(values: pl.Series, categories: tuple[str, ...]) -> pl.Series:
    codes = [float(code) for code in range(len(categories))]
    return values.cast(pl.String).replace_strict(list(categories), codes, default=None, return_dtype=pl.Float64)
