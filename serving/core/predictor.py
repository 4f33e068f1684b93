"""A model folder as one thing that scores rows: what is served, evaluated and monitored."""

from importlib.metadata import version
from pathlib import Path

import numpy as np

from serving.core.booster import Booster, Matrix
from serving.core.errors import ArtifactError
from serving.core.signature import LIGHTGBM, Signature, read_model, read_signature
from serving.core.text import text_reader
from serving.core.trees import Trees, compiled_library, compiled_trees


class Predictor:
    """A loaded model with its signature."""

    def __init__(self, signature: Signature, model: bytes) -> None:
        """Load a model.

        Raises:
            ArtifactError: the library cannot read the model, or its features are not the signature's.
        """
        self.signature = signature
        self._booster = Booster(model)
        self._scorer = compiled_trees(model, self._booster) or self._booster
        self._text = text_reader(signature, compiled_library())
        if self._booster.features != len(signature.inputs):
            raise ArtifactError(
                f"the model has {self._booster.features} features, its signature {len(signature.inputs)} inputs"
            )

    @classmethod
    def load(cls, folder: Path) -> "Predictor":
        """Load an unpacked artifact.

        Raises:
            ArtifactError: the signature or the model file is absent, corrupt, or does not fit the other.
        """
        signature = read_signature(folder)
        return cls(signature, read_model(signature, folder))

    @property
    def evaluator(self) -> str:
        """What scores: the compiled walk, or the library itself."""
        return "compiled trees" if isinstance(self._scorer, Trees) else "lightgbm"

    @property
    def warning(self) -> str | None:
        """What to know about a model of another library version; None if there is nothing."""
        trained, here = self.signature.library_version, version(LIGHTGBM)
        if trained == here:
            return None
        return f"the model was trained with {LIGHTGBM} {trained} and is served with {here}: compare a few scores"

    def score(self, matrix: Matrix) -> Matrix:
        """The scores of a (rows, inputs) matrix, in its order: probabilities for a classification."""
        return self._scorer.predict(matrix)

    def score_text(self, body: bytes, content_type: str) -> list[float] | None:
        """The scores of a body of plain CSV or JSON; None for any other, which is parsed first, and for a wrong one."""
        read = self._text.read(body, content_type) if self._text else None
        if read is None:
            return None
        if isinstance(read, np.ndarray):
            scores: list[float] = self._scorer.predict(read).tolist()
            return scores
        return [self._scorer.predict_row(read)]

    def score_row(self, row: list[float]) -> float:
        """The score of one row: the same as that row's in a matrix."""
        return self._scorer.predict_row(row)

    def contributions(self, matrix: Matrix) -> Matrix:
        """What each input adds to each row's raw score, (rows, inputs), and in a last column what all rows share.

        The raw score is their sum: log-odds for a classification. These are exact TreeSHAP values.
        """
        return self._booster.contributions(matrix)

    def label(self, score: float) -> int | None:
        """1 if the score reaches the signature's threshold, else 0; None for a regression."""
        threshold = self.signature.threshold
        return None if threshold is None else int(score >= threshold)
