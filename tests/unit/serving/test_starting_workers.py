"""Workers start one after the first, stop when told, also while they start, and say once what is wrong with a model."""

import subprocess
import sys
from pathlib import Path

import pytest

from serving.contract import MODEL_DIRECTORY, WORKERS_VARIABLE
from tests.unit.serving.conftest import PROJECT, SERVE, server_environment


def test_several_workers_say_once_what_is_wrong_with_a_model(ml_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / MODEL_DIRECTORY
    folder.mkdir()
    (folder / "signature.json").write_bytes((ml_root / MODEL_DIRECTORY / "signature.json").read_bytes())
    environment = {**server_environment(tmp_path), WORKERS_VARIABLE: "3"}
    ended = subprocess.run([*SERVE, "serve"], env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "the model file model.txt" in ended.stderr
    assert not ended.stdout


def test_a_model_that_fails_late_is_not_tried_for_ever() -> None:
    code = """if True:
        import sys
        from serving import workers
        from serving.log import Log
        workers._EARLY_SECONDS = 0.0
        sys.exit(workers.supervise(2, lambda worker, fit: 1, Log()))
    """
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert not ended.stdout


@pytest.mark.parametrize("handler", ["", "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))"])
def test_workers_that_are_told_to_stop_while_they_start_end_well(handler: str) -> None:
    code = f"""if True:
        import os, signal, sys, time
        from serving import workers
        from serving.log import Log

        def work(worker, fit):
            {handler}
            fit()
            os.write(1, b"!")
            time.sleep(20)
            return 3

        sys.exit(workers.supervise(2, work, Log()))
    """
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(2) == b"!!"
        process.terminate()
        assert process.wait(15) == 0
        assert not process.stderr.read()
