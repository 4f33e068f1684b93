"""A model folder as one thing that scores rows: what is served, evaluated and monitored."""

from dataclasses import dataclass
from pathlib import Path

from serving.core.booster import Booster, Matrix
from serving.core.errors import InputError
from serving.core.formats import load_model
from serving.core.signature import Signature, read_model, read_signature
from serving.core.text import text_reader
from serving.core.trees import compiled_library, compiled_trees

Label = int | str


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of some rows, a list each, in the rows' order.

    Attributes:
        scores: the probability of 1, or of the likeliest of several classes; a regression's value.
        labels: 0 or 1, or the likeliest class; None for a regression.
        probabilities: by class, of 0 and 1 or of `signature.classes`; None for a regression.
    """

    scores: list[float]
    labels: list[Label] | None = None
    probabilities: list[list[float]] | None = None


class Predictor:
    """A loaded model with its signature."""

    def __init__(self, signature: Signature, content: bytes) -> None:
        """Load a model.

        Raises:
            ArtifactError: the model cannot be read, or is not the one that the signature describes.
        """
        self.signature = signature
        self._model, self.warning = load_model(signature, content)
        walk = compiled_trees(content, self._model) if isinstance(self._model, Booster) else None
        self._scorer = walk or self._model
        self._text = None if signature.classes else text_reader(signature, compiled_library())
        self.compiled = (self._text, walk) if self._text and walk else None
        """What reads plain text and what scores it, if both are compiled."""

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
        """What scores: a compiled walk, or a library."""
        return self._scorer.name

    def score(self, matrix: Matrix) -> Matrix:
        """The scores of a (rows, inputs) matrix, (rows,), in its order: probabilities for a classification."""
        values = self._scorer.predict(matrix)
        return values.max(axis=1) if self.signature.classes else values

    def score_text(self, body: bytes, content_type: str) -> list[float] | None:
        """The scores of a body of plain CSV or JSON; None for any other, which is parsed first, and for a wrong one."""
        if self.compiled:
            reader, trees = self.compiled
            return reader.score(body, content_type, trees)
        matrix = self._text.read(body, content_type) if self._text else None
        if matrix is None:
            return None
        if len(matrix) == 1:
            return [self._scorer.predict_row(matrix[0].tolist())]
        scores: list[float] = self._scorer.predict(matrix).tolist()
        return scores

    def score_row(self, row: list[float]) -> float:
        """The score of one row by a model of one score: the same as that row's in a matrix."""
        return self._scorer.predict_row(row)

    def predictions(self, matrix: Matrix) -> Predictions:
        """Everything that the model says of a (rows, inputs) matrix."""
        values = self._scorer.predict(matrix)
        if classes := self.signature.classes:
            labels: list[Label] = [classes[place] for place in values.argmax(axis=1)]
            return Predictions(values.max(axis=1).tolist(), labels, values.tolist())
        scores: list[float] = values.tolist()
        if (threshold := self.signature.threshold) is None:
            return Predictions(scores)
        return Predictions(scores, [int(one >= threshold) for one in scores], [[1.0 - one, one] for one in scores])

    def contributions(self, matrix: Matrix) -> Matrix:
        """What each input adds to each row's raw score, (rows, inputs), and in a last column what all rows share.

        The raw score is their sum: log-odds for a classification. These are exact TreeSHAP values.

        Raises:
            InputError: the model is not LightGBM's, or has several scores a row.
        """
        if not isinstance(self._model, Booster) or self._model.outputs > 1:
            raise InputError("explanations are for LightGBM models of one score a row")
        return self._model.contributions(matrix)

    def label(self, score: float) -> int | None:
        """1 if a binary classification's score reaches the signature's threshold, else 0; None for other problems."""
        threshold = self.signature.threshold
        return None if threshold is None else int(score >= threshold)
