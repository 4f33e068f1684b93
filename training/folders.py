"""Where SageMaker puts a job's inputs and takes its outputs, below the ML root."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.contract import DEFAULT_ML_ROOT, ML_ROOT_VARIABLE, MODEL_DIRECTORY


@dataclass(frozen=True)
class Folders:
    """The folders of one job."""

    root: Path

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Folders":
        """The ML root that the environment names, or SageMaker's own."""
        return cls(Path(environment.get(ML_ROOT_VARIABLE, DEFAULT_ML_ROOT)))

    def channel(self, name: str) -> Path:
        """A training job's input channel."""
        return self.root / "input" / "data" / name

    def processing(self, name: str) -> Path:
        """A processing job's input."""
        return self.root / "processing" / name

    def output(self, name: str) -> Path:
        """A processing job's output, made if need be."""
        return _made(self.processing(name))

    @property
    def model(self) -> Path:
        """What a training job leaves here becomes `model.tar.gz`; made if need be."""
        return _made(self.root / MODEL_DIRECTORY)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
