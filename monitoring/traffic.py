"""A window's traffic, wherever it lies: captured in S3, or given to the job as files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.aws import Aws
from monitoring.baseline_document import Baseline
from monitoring.capture_store import ENDING, CapturedFile, CaptureStore, Readable
from monitoring.contract import WINDOW_INPUT
from monitoring.counting import CaptureCounter, Part
from monitoring.hosts import Hosts
from monitoring.job import Job
from monitoring.parquet import count_parquet
from monitoring.spec import DriftSpec
from monitoring.window import Window

if TYPE_CHECKING:
    from monitoring.explanations.explained import Sampler


def count_traffic(
    job: Job,
    aws: Aws,
    spec: DriftSpec,
    window: Window,
    *,
    baseline: Baseline,
    hosts: Hosts,
    sampler: "Sampler | None" = None,
) -> Part:
    """Count this host's share of the window's records over the baseline's bins.

    The job's input `window`, if it has one, holds them: capture files (`.jsonl`), of which those of the window's time
    are used, and Parquet files, of which every row is. Otherwise they are captured traffic in S3,
    of which each of several hosts reads its own hours. Of Parquet, no row is sampled to be explained.

    Raises:
        MonitoringError: a Parquet file cannot be read, or does not fit the model.
    """
    counter, folder = CaptureCounter(baseline, window, sampler), job.folder(WINDOW_INPUT)
    if folder.is_dir():
        return counter.count(_captured(folder)) + count_parquet(sorted(folder.rglob("*.parquet")), baseline)
    files = CaptureStore(aws.s3, spec.capture_uri, spec.endpoint, spec.variant).files(window)
    return counter.count(file for file in files if hosts.own(file.hour))


def _captured(folder: Path) -> Iterator[CapturedFile]:
    for path in sorted(folder.rglob(f"*{ENDING}")):
        yield CapturedFile(path.relative_to(folder).as_posix(), _opener(path))


def _opener(path: Path) -> Callable[[], Readable]:
    return lambda: path.open("rb")
