"""The windows before this one, as their own reports tell them: since when, and how good the answers were."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from monitoring.contract import (
    DRIFT_REPORT_FILE,
    DRIFT_REPORT_SCHEMA_VERSION,
    QUALITY_REPORT_FILE,
    QUALITY_REPORT_SCHEMA_VERSION,
)
from monitoring.spec import DriftSpec
from monitoring.window import Window, iso

SHOWN: Final = 12
"""So many windows before this one are looked back on."""
PERIOD: Final = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=31),
}
Document = Mapping[str, Any]


@dataclass(frozen=True)
class History:
    """Reports as they were written, the oldest first, one a window.

    Attributes:
        drift: Of the windows before this one.
        quality: Of any window, up to now.
        unread: Why some could not be read; empty if all could.
    """

    drift: tuple[Document, ...] = ()
    quality: tuple[Document, ...] = ()
    unread: str = ""


def read_history(s3: Any, spec: DriftSpec, window: Window) -> History:  # noqa: ANN401 - made at run time
    """The last reports of this endpoint; one that is damaged, or of another version, is passed over.

    A report does without its history rather than not be written: what S3 refuses is told, not raised.
    """
    since = iso(window.start - SHOWN * PERIOD[spec.schedule])
    try:
        drift = _reports(s3, spec.reports_uri, DRIFT_REPORT_FILE, since)
        quality = _reports(s3, spec.quality_reports_uri, QUALITY_REPORT_FILE, since)
        return History(
            _one_a_window(drift, spec.endpoint, DRIFT_REPORT_SCHEMA_VERSION, before=iso(window.start)),
            _one_a_window(quality, spec.endpoint, QUALITY_REPORT_SCHEMA_VERSION, before=iso(window.end)),
        )
    except (ClientError, BotoCoreError) as error:
        return History(unread=f"The windows before this one could not be read: {error}")


def _reports(s3: Any, uri: str | None, file: str, since: str) -> Iterator[Document]:  # noqa: ANN401 - made at run time
    """Below `uri`, each in a folder named by the moment its schedule fired; those that are JSON objects."""
    if uri is None:
        return
    place = urlsplit(uri)
    prefix = f"{place.path[1:].rstrip('/')}/"
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=place.netloc, Prefix=prefix, StartAfter=f"{prefix}{since}"
    )
    for key in (item["Key"] for page in pages for item in page.get("Contents", ())):
        if key.endswith(f"/{file}"):
            body = s3.get_object(Bucket=place.netloc, Key=key)["Body"].read()
            try:
                document = json.loads(body)
            except ValueError:
                continue
            if isinstance(document, dict):
                yield document


def _one_a_window(reports: Iterator[Document], endpoint: str, version: int, *, before: str) -> tuple[Document, ...]:
    """Of a window that was reported on twice, the last; `before` is where windows must have ended by."""
    known = {
        report["window"]["end"]: report
        for report in reports
        if (report.get("schema_version"), report.get("endpoint")) == (version, endpoint)
        and _is_whole(report)
        and report["window"]["end"] <= before
    }
    return tuple(known[end] for end in sorted(known)[-SHOWN:])


def _is_whole(report: Document) -> bool:
    """Whether it has what is looked back on: its window's two ends, a status, and columns that are objects."""
    window, columns = report.get("window"), report.get("features", [])
    return (
        isinstance(window, dict)
        and all(isinstance(window.get(end), str) for end in ("start", "end"))
        and isinstance(report.get("status"), str)
        and isinstance(columns, list)
        and all(isinstance(column, dict) and {"name", "value", "threshold"} <= column.keys() for column in columns)
    )
