# ruff: noqa: T201 - a container speaks through its standard output
"""An image in one file: does what its command says, under SageMaker's container contract."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ML = Path(os.environ["SAGESTACK_ML_ROOT"])


def show() -> None:
    """Write down everything that the container sees."""
    files = {str(path.relative_to(ML)): path.read_text() for path in ML.rglob("*") if path.is_file()}
    out = ML / ("processing/output/seen" if (ML / "processing").exists() else "model")
    (out / "seen.json").write_text(json.dumps({"files": files, "environment": dict(os.environ), "argv": sys.argv[1:]}))


def train() -> None:
    """Print metrics, keep a model and a plot."""
    print("epoch 1 validation_auc=0.61")
    print("epoch 2 validation_auc=0.75", flush=True)
    shutil.copytree(ML / "input", ML / "model/input")
    (ML / "output/data/plot.svg").write_text("<svg/>")


def fail() -> None:
    """End as a container in trouble does."""
    (ML / "output").mkdir(exist_ok=True)
    for name in ("failure", "message"):
        (ML / "output" / name).write_text("the data has no rows" * 100)
    raise SystemExit(3)


def fail_on_the_second_host() -> None:
    """Of two hosts, one has nothing to do; the other would go on for long."""
    host = json.loads((ML / "config/resourceconfig.json").read_text())["current_host"]
    if host == "algo-2":
        (ML / "output/message").write_text(f"no data for {host}")
        raise SystemExit(4)
    time.sleep(60)


def wait() -> None:
    """Stop in good order when told to."""

    def leave(*_: object) -> None:
        (ML / "model/so-far.txt").write_text("half a model")
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    print("waiting", flush=True)
    time.sleep(60)


def ignore() -> None:
    """Never stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("waiting", flush=True)
    time.sleep(60)


def call() -> None:
    """Call AWS as whoever the container is, and say who that is or what went wrong."""
    try:
        caller = boto3.client("sts").get_caller_identity()["Arn"]
        print(caller)
        boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="called", Body=caller.encode())
    except (BotoCoreError, ClientError) as error:
        (ML / "output/message").write_text(str(error))
        raise SystemExit(1) from error


def die() -> None:
    """Be killed, as by a machine out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    commands = {f.__name__: f for f in (show, train, fail, fail_on_the_second_host, wait, ignore, call, die)}
    commands[sys.argv[1]]()
