"""The AWS services that a job speaks to, made ready beside its work: boto3 takes a third of a second to start."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from monitoring.job import Job


class Aws:
    """Clients for this job's region; the first use of one waits until it is made."""

    def __init__(self, job: Job) -> None:
        # SageMaker tells a job its region by a name that boto3 does not read.
        self._region = job.environment.get("AWS_REGION")
        pool = ThreadPoolExecutor(1)
        self._made = {service: pool.submit(self._make, service) for service in ("s3", "cloudwatch")}
        pool.shutdown(wait=False)

    @property
    def s3(self) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """For captured files and reports."""
        return self._made["s3"].result()

    @property
    def cloudwatch(self) -> Any:  # noqa: ANN401 - likewise
        """For metrics."""
        return self._made["cloudwatch"].result()

    def _make(self, service: str) -> Any:  # noqa: ANN401 - likewise
        return import_module("boto3").client(service, region_name=self._region)
