"""Batch transform's records: an object split into them, packed into payloads, and put together again.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from infra.local.jobs.json_path import JsonPath, PathError
from infra.local.validation import Json

MEGABYTE = 1024 * 1024
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
OUTPUT_KEY, INPUT_KEY = "SageMakerOutput", "SageMakerInput"


class RecordError(Exception):
    """An input that cannot be transformed."""


@dataclass(frozen=True)
class Splitting:
    """How objects become payloads."""

    by_line: bool
    several_a_payload: bool
    max_payload_mb: int
    """0: no limit."""

    def payloads(self, body: bytes) -> Iterator[list[bytes]]:
        """The records of an object, payload by payload, in order: as many in one as fit, if several may be.

        Raises:
            RecordError: a record is larger than a payload may be.
        """
        limit = self.max_payload_mb * MEGABYTE or None
        payload: list[bytes] = []
        size = 0
        for record in self._records(body):
            if limit is not None and len(record) > limit:
                raise RecordError(f"a record of {len(record)} bytes exceeds MaxPayloadInMB ({self.max_payload_mb})")
            if payload and (not self.several_a_payload or (limit is not None and size + len(record) > limit)):
                yield payload
                payload, size = [], 0
            payload.append(record)
            size += len(record) + 1
        if payload:
            yield payload

    def _records(self, body: bytes) -> list[bytes]:
        if not self.by_line:
            return [body]
        return [line for line in body.splitlines() if line.strip()]


@dataclass(frozen=True)
class DataProcessing:
    """What of a record is sent, and what of its answer is kept."""

    input_filter: JsonPath
    output_filter: JsonPath
    joins_input: bool

    @classmethod
    def of(cls, given: Json) -> Self:
        """Read a request's DataProcessing.

        Raises:
            PathError: a filter is no path.
        """
        sent, kept = (JsonPath.parse(given.get(name, "$")) for name in ("InputFilter", "OutputFilter"))
        return cls(sent, kept, given.get("JoinSource", "None") == "Input")

    def sent(self, records: list[bytes], content_type: str) -> bytes:
        """A payload.

        Raises:
            RecordError: a filter finds nothing.
        """
        if not self.input_filter.steps:
            return b"\n".join(records)
        return b"\n".join(self._select(self.input_filter, read(record, content_type)) for record in records)

    def kept(self, records: list[bytes], content_type: str, answer: bytes, accept: str) -> bytes:
        """What goes into the output of the answer to a payload.

        Raises:
            RecordError: the answer is not one to each record, or a filter finds nothing.
        """
        if not (self.output_filter.steps or self.joins_input):
            return answer
        asked, answered = media_type(content_type), media_type(accept)
        answers = [answer] if answered == JSON else [line for line in answer.splitlines() if line.strip()]
        if not self.joins_input:
            return b"\n".join(self._select(self.output_filter, read(each, accept)) for each in answers)
        if len(answers) != len(records):
            raise RecordError(f"{len(records)} records were answered by {len(answers)}: they cannot be joined")
        if (asked == CSV) != (answered == CSV):
            raise RecordError(f"input of type {asked} cannot be joined with output of type {answered}")
        pairs = zip(records, answers, strict=True)
        joined = (join(read(record, content_type), read(each, accept)) for record, each in pairs)
        return b"\n".join(self._select(self.output_filter, each) for each in joined)

    @staticmethod
    def _select(path: JsonPath, record: Any) -> bytes:  # noqa: ANN401 - any JSON
        try:
            return write(path.select(record), is_csv=isinstance(record, Row))
        except PathError as error:
            raise RecordError(str(error)) from error


class Row(list[str]):
    """A record of CSV, which filters see as a JSON array."""


def read(record: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON
    """A record as filters and joins see it.

    Raises:
        RecordError: it is not of its content type, or of one that they do not read.
    """
    kind = media_type(content_type)
    try:
        if kind == CSV:
            return Row(next(csv.reader([record.decode()])))
        if kind in {JSON, JSON_LINES}:
            return json.loads(record)
    except (ValueError, csv.Error) as error:
        raise RecordError(f"a record is no {kind}: {error}") from error
    raise RecordError(f"DataProcessing reads {CSV}, {JSON} and {JSON_LINES}, not {content_type or 'an unknown type'}")


def media_type(content_type: str) -> str:
    """A content type without its parameters."""
    return content_type.split(";", 1)[0].strip().lower()


def join(record: Any, answer: Any) -> Any:  # noqa: ANN401 - any JSON
    """A record and its answer in one."""
    if isinstance(record, Row):
        return Row([*record, *answer])
    if isinstance(record, dict):
        return record | {OUTPUT_KEY: answer}
    return {INPUT_KEY: record, OUTPUT_KEY: answer}


def write(value: Any, *, is_csv: bool) -> bytes:  # noqa: ANN401 - any JSON
    """A record or an answer as text, without an end of line."""
    if not is_csv:
        return json.dumps(value, separators=(",", ":")).encode()
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return line.getvalue().encode()


def assemble(answers: list[bytes], *, by_line: bool) -> bytes:
    """An object's output from the answers to its payloads, in order."""
    if not by_line:
        return b"".join(answers)
    return b"".join(answer.removesuffix(b"\n") + b"\n" for answer in answers)
