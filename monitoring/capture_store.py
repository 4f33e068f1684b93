"""Captured files: which of them may hold a window's records, and their lines, a bounded piece at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from monitoring.window import Window

PIECE_BYTES: Final = 4 * 1024 * 1024
"""A file is read in pieces of about so many bytes, so that memory grows neither with the window nor with its files."""
ENDING: Final = ".jsonl"


class Readable(Protocol):
    """An open file, or the body of an answer of S3."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer, as far as there is something; how many bytes, 0 at the end."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class CapturedFile:
    """A capture file, before it is read.

    Attributes:
        key: Where it is.
        open: Opens it.
    """

    key: str
    open: Callable[[], Readable]

    @property
    def hour(self) -> str:
        """The folder that it lies in, which SageMaker makes anew each hour."""
        return self.key.rpartition("/")[0]

    def pieces(self) -> Iterator[memoryview]:
        """Whole lines, about `PIECE_BYTES` at a time; a piece is good until the next is asked for.

        All lie in one buffer: fresh memory for each would take as long as reading it.
        """
        file, memory, begun = self.open(), bytearray(PIECE_BYTES), 0
        try:
            while read := file.readinto(memoryview(memory)[begun:]):
                full = begun + read
                if end := memory.rfind(b"\n", begun, full) + 1:
                    yield memoryview(memory)[:end]
                    memory[: full - end] = memory[end:full]
                elif full == len(memory):
                    memory = memory + bytearray(PIECE_BYTES)
                begun = full - end
            if begun:
                yield memoryview(memory)[:begun]
        finally:
            file.close()


def lines_of(piece: bytes | memoryview) -> list[bytes]:
    """The lines of a piece that are not blank."""
    return [line for line in bytes(piece).split(b"\n") if line.strip()]


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
                if item["Key"].endswith(ENDING):
                    yield CapturedFile(item["Key"], self._opener(item["Key"]))

    def _opener(self, key: str) -> Callable[[], Readable]:
        return lambda: self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
