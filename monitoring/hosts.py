"""The hosts of a job, and how they share a window out among them: by the hour that a file was captured in.

Whole hours, because a duplicate is looked for within its hour: so several hosts count what one would. And by the clock,
not by the list of files, because one that lands while the hosts are listing would be dealt otherwise by each.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html (resourceconfig.json).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

from monitoring.contract import REPORT_OUTPUT, WINDOW_INPUT
from monitoring.errors import MonitoringError
from monitoring.job import Job

HOUR_SECONDS: Final = 3600
HOUR_FOLDER: Final = "%Y/%m/%d/%H"
HOUR_CHARACTERS: Final = 13


@dataclass(frozen=True)
class Hosts:
    """A job's hosts, as each of them sees them.

    Attributes:
        current: This host's name.
        names: All of them; the first gathers what the others have counted.
        gathering_uri: Where hosts leave what they have counted, `s3://…`, a place of this job alone; empty for one.
    """

    current: str = "algo-1"
    names: tuple[str, ...] = ("algo-1",)
    gathering_uri: str = ""

    @classmethod
    def of(cls, job: Job) -> "Hosts":
        """As SageMaker tells the job; one host where it tells nothing.

        Raises:
            MonitoringError: every one of several hosts was given the whole window.
        """
        resources = _configuration(job, "resourceconfig.json")
        names = tuple(sorted(resources.get("hosts", ()), key=lambda name: (len(name), name)))
        if len(names) < 2:  # noqa: PLR2004 - one host
            return cls()
        request = _configuration(job, "processingjobconfig.json")
        _check_that_the_window_is_dealt_out(request)
        (report,) = (
            output["S3Output"]["S3Uri"]
            for output in request["ProcessingOutputConfig"]["Outputs"]
            if output["S3Output"]["LocalPath"].endswith(REPORT_OUTPUT)
        )
        job_name = request["ProcessingJobArn"].rpartition("/")[2]
        return cls(resources["current_host"], names, f"{report.rstrip('/')}/parts/{job_name}")

    @property
    def gathers(self) -> bool:
        """Whether this host adds up what all have counted, and reports."""
        return self.current == self.names[0]

    def own(self, hour: str) -> bool:
        """Whether the files in an hour's folder are this host's to read."""
        try:
            moment = datetime.strptime(hour[-HOUR_CHARACTERS:], HOUR_FOLDER).replace(tzinfo=UTC)
            number = int(moment.timestamp()) // HOUR_SECONDS
        except ValueError:
            number = crc32(hour.encode())
        return self.names[number % len(self.names)] == self.current


def _check_that_the_window_is_dealt_out(request: dict[str, Any]) -> None:
    for given in request.get("ProcessingInputs", ()):
        source = given.get("S3Input", {})
        if (
            source.get("LocalPath", "").endswith(WINDOW_INPUT)
            and source.get("S3DataDistributionType") != "ShardedByS3Key"
        ):
            raise MonitoringError(
                f"input {given['InputName']} gives each of several hosts the whole window: "
                "set its S3DataDistributionType to ShardedByS3Key"
            )


def _configuration(job: Job, name: str) -> dict[str, Any]:
    path = job.root / "config" / name
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return document
