"""What if the first model had never been retrained: its scores, had it been the one that was asked."""

from pathlib import Path
from typing import Any

import polars as pl

from serving.core.artifact import unpack
from serving.core.predictor import Predictor
from training.evaluate import score_frame
from training.metrics import Vector


class FirstModel:
    """The first registered model, fetched from the registry and run by the same code that serves."""

    def __init__(self, s3: Any, model_data_url: str, folder: Path) -> None:  # noqa: ANN401 - a boto3 client
        bucket, _, key = model_data_url.removeprefix("s3://").partition("/")
        archive = folder / "first-model.tar.gz"
        s3.download_file(bucket, key, str(archive))
        unpack(archive, folder / "first-model")
        self._predictor = Predictor.load(folder / "first-model")

    def score(self, rows: pl.DataFrame) -> Vector:
        """A score a row: shape (rows,)."""
        return score_frame(self._predictor, rows)
