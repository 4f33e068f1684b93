"""How each engine is run: ours as the image runs it, each peer and limit in an environment of its own."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_INPUT,
    DRIFT_COMMAND,
    DRIFT_REPORT_FILE,
    ENTRYPOINT,
    REPORT_OUTPUT,
    SCAN_LIBRARY_VARIABLE,
    SPEC_VARIABLE,
    WINDOW_END_VARIABLE,
    WINDOW_INPUT,
)
from monitoring.correlation import Association, numbers
from monitoring.profile import Profile
from monitoring.sample import Sample
from serving.contract import ML_ROOT_VARIABLE, split_variable
from tests.bench.drift.data import CATEGORICAL, NUMERIC, frame
from tests.bench.environment import ENVIRONMENT

PROJECT = Path(__file__).parents[3]
PEERS = Path(__file__).parent / "peers"
SPEC = {
    "schema_version": 1, "model": "bench", "problem": "binary-classification", "label": "y", "time": "t",
    "numeric": NUMERIC, "categorical": CATEGORICAL, "endpoint": "bench", "variant": "main",
    "capture_uri": "s3://none/none", "schedule": "monthly", "psi_threshold": 0.25, "minimum_rows": 500,
}  # fmt: skip
QUIET = {"PYTHONWARNINGS": "ignore", "NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
"""Peers that would report their use are told not to: its time would be counted as theirs."""
STATISTIC = {"psi": {}, "ks": {"numeric_statistic": "kolmogorov-smirnov", "false_alarm_rate": 0.05}}


@dataclass(frozen=True)
class Case:
    """What is measured: a window, in a form, of so many rows; a statistic of it."""

    form: str
    rows: int
    statistic: str
    path: Path | None = None

    def lay(self, window):
        """Put it where the job looks for its window."""
        if self.path is None or self.path.is_file():
            window.mkdir(parents=True)
        if self.path is not None:
            (window / self.path.name if self.path.is_file() else window).symlink_to(self.path)


class CloudWatch(BaseHTTPRequestHandler):
    """Takes the job's metrics."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("smithy-protocol", "rpc-v2-cbor")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


class Bench:
    """A reference, its baseline, and a CloudWatch to send metrics to."""

    def __init__(self, folder, times):
        self.folder, self.times, self.reference = folder, times, folder / "reference.parquet"
        rows = frame(100_000, seed=0)
        rows.write_parquet(self.reference)
        scores = pl.Series("score", np.random.default_rng(1).random(len(rows)))
        bins = [(NumericBins if one in NUMERIC else CategoricalBins).fit(rows[one]) for one in rows.columns]
        profile = Profile.of(bins, NumericBins.fit(scores), rows, scores)
        association = Association.fit(NUMERIC, numbers(rows, NUMERIC))
        sample = Sample.of(bins, rows, association)
        baseline = Baseline("bench", "binary-classification", "0", profile, association, sample=sample)
        self.baseline = json.dumps(baseline.to_json())
        self.cloud = ThreadingHTTPServer(("127.0.0.1", 0), CloudWatch)
        threading.Thread(target=self.cloud.serve_forever, daemon=True).start()

    def job(self, case):
        """The whole job, from the start of its process to its end."""
        root = Path(tempfile.mkdtemp(dir=self.folder))
        baseline, window = (root / "processing" / name for name in (BASELINE_INPUT, WINDOW_INPUT))
        baseline.mkdir(parents=True)
        (baseline / BASELINE_FILE).write_text(self.baseline)
        case.lay(window)
        command = [sys.executable, *ENTRYPOINT[1:], DRIFT_COMMAND]
        runs = [run(command, self.environment(root, case.statistic)) for _ in range(self.times)]
        report = json.loads((root / "processing" / REPORT_OUTPUT / DRIFT_REPORT_FILE).read_text())
        if report["records"]["used"] != case.rows:
            sys.exit(f"the job used another number than {case.rows}: {report['records']}")
        return row("sagestack", version("sagestack"), case, [one[:2] for one in runs])

    def environment(self, root, statistic):
        """What SageMaker would tell the job."""
        return {
            **split_variable(SPEC_VARIABLE, json.dumps(SPEC | STATISTIC[statistic])),
            ML_ROOT_VARIABLE: str(root),
            WINDOW_END_VARIABLE: "2013-04-01T06:00:00Z",
            SCAN_LIBRARY_VARIABLE: str(PROJECT / "build" / "scan.so"),
            "PYTHONPATH": str(PROJECT),
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.cloud.server_port}",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
        }

    def peer(self, peer, case, times=1):
        """A peer or a limit; None, said with the reason, if it cannot be run."""
        python = Path(sys.executable) if peer == "polars" else PROJECT / ".venvs" / f"bench-{peer}" / "bin" / "python"
        command = [str(python), str(PEERS / f"{peer}_peer.py"), str(self.reference), str(case.path), case.statistic]
        try:
            runs = [run(command, QUIET) for _ in range(times)]
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            print(f"{peer} is left out: {error} {getattr(error, 'stderr', '')}", file=sys.stderr)  # noqa: T201
            return None
        said = [json.loads(output.splitlines()[-1]) for _, _, output in runs]
        measured = [(one["seconds"], megabytes) for one, (_, megabytes, _) in zip(said, runs, strict=True)]
        return row(peer, said[0]["version"], case, measured)


def run(command, told):
    """Seconds, peak MB and output of a process of its own."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=ENVIRONMENT | told, stdout=output, stderr=errors, text=True)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, Path(command[1]).name, stderr=errors.read()[-2000:])
        return seconds, used.ru_maxrss / 1024, output.read()


def row(engine, release, case, runs):
    """As build/bench/drift.json has it, medians."""
    seconds, megabytes = np.median(runs, axis=0).tolist()
    return {
        "engine": engine, "version": release, "statistic": case.statistic, "format": case.form, "rows": case.rows,
        "seconds": round(seconds, 3), "peak_mb": round(megabytes, 1),
    }  # fmt: skip
