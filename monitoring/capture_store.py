"""Captured files in S3: which of them may hold a window's records, and their bytes, a batch at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from monitoring.window import Window

BATCH_BYTES: Final = 32 * 1024 * 1024
"""Files are read together up to so many bytes, so that memory does not grow with the window."""
CONNECTIONS: Final = 8


@dataclass(frozen=True)
class CapturedFile:
    """A capture file, before it is read."""

    key: str
    size_bytes: int


class CaptureStore:
    """One variant's captured traffic: `<capture_uri>/<endpoint>/<variant>/yyyy/mm/dd/hh/*.jsonl`."""

    def __init__(self, s3: Any, capture_uri: str, endpoint: str, variant: str) -> None:  # noqa: ANN401 - made at run time
        self._s3 = s3
        parts = urlsplit(capture_uri)
        self._bucket = parts.netloc
        self._prefix = "/".join(part for part in (parts.path.strip("/"), endpoint, variant) if part) + "/"

    def files(self, window: Window) -> Iterator[CapturedFile]:
        """The files of the window's hours, in order of time; listed from the first hour on, never the whole history."""
        first, after = (self._prefix + hour for hour in window.keys_between())
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, StartAfter=first
        )
        for page in pages:
            for item in page.get("Contents", []):
                if item["Key"] >= after:
                    return
                if item["Key"].endswith(".jsonl"):
                    yield CapturedFile(item["Key"], item["Size"])

    def batches(self, window: Window) -> Iterator[list[bytes]]:
        """The contents of the window's files, some `BATCH_BYTES` at a time, fetched side by side."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for batch in _batches(self.files(window)):
                yield list(pool.map(self._read, batch))

    def _read(self, file: CapturedFile) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=file.key)["Body"].read()
        return content


def _batches(files: Iterator[CapturedFile]) -> Iterator[list[CapturedFile]]:
    batch: list[CapturedFile] = []
    for file in files:
        if batch and sum(each.size_bytes for each in batch) + file.size_bytes > BATCH_BYTES:
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch
