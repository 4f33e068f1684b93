"""An image in one file for the steps of pipelines: does what its command says."""

import os
import sys
import time
from pathlib import Path

ML = Path(os.environ["SAGESTACK_ML_ROOT"])
OUT = ML / "processing/output/out"


def answer() -> None:
    """Write the answer that the environment holds."""
    (OUT / "answer.json").write_text(os.environ["ANSWER"])


def copy() -> None:
    """Hand on the first input's answer."""
    (OUT / "answer.json").write_text((ML / "processing/input/in0/answer.json").read_text())


def train() -> None:
    """Leave a model."""
    (ML / "model/model.txt").write_text(os.environ["ANSWER"])


def fail() -> None:
    """End as a container in trouble does."""
    message = ML / "output/message"
    message.parent.mkdir(exist_ok=True)
    message.write_text("the data has no rows")
    raise SystemExit(1)


def fault() -> None:
    """Do nothing: the engine is what has the faults."""


def slow() -> None:
    """Take a while."""
    time.sleep(0.8)


def wait() -> None:
    """Take longer than anybody waits."""
    time.sleep(60)


if __name__ == "__main__":
    {f.__name__: f for f in (answer, copy, train, fail, fault, slow, wait)}[sys.argv[1]]()
