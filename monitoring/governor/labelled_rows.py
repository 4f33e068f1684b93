"""How many rows labelled files have together, asked of S3 by the ends of the files."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from monitoring.governor.parquet_footer import END_BYTES, footer_bytes, rows_of
from monitoring.governor.rules import Rows

END_READ_BYTES: Final = 65_536
"""Of every file; nearly every footer is within."""
MOST_FOOTER_BYTES: Final = 1_048_576
"""Of a longer footer: the number of rows comes after the columns and before the row groups, which make it long."""
FILES_AT_ONCE: Final = 8
Listed = Mapping[str, Any]
"""An object as ListObjectsV2 lists it."""


def labelled_rows(s3: Any, bucket: str, files: Sequence[Listed], enough: int) -> Rows:  # noqa: ANN401 - boto3's client
    """Count rows, the largest files first, until there are enough: more than that, nobody asks."""
    largest_first = sorted(files, key=lambda file: (-file["Size"], file["Key"]))
    counted, silent = 0, []
    with ThreadPoolExecutor(FILES_AT_ONCE) as readers:
        for start in range(0, len(files), FILES_AT_ONCE):
            some = largest_first[start : start + FILES_AT_ONCE]
            for file, rows in zip(some, readers.map(partial(_rows, s3, bucket), some), strict=True):
                counted += rows or 0
                silent += [file["Key"]] if rows is None else []
            if counted >= enough:
                break
    return Rows(counted, tuple(silent))


def _rows(s3: Any, bucket: str, file: Listed) -> int | None:  # noqa: ANN401 - boto3's client
    size = file["Size"]

    def read(first: int, count: int) -> bytes:
        asked = f"bytes={first}-{min(first + count, size) - 1}"
        content: bytes = s3.get_object(Bucket=bucket, Key=file["Key"], Range=asked)["Body"].read()
        return content

    try:
        end = read(max(0, size - END_READ_BYTES), END_READ_BYTES) if size else b""
        length = footer_bytes(end)
        whole = length + END_BYTES
        footer = end[-whole:] if whole <= len(end) else read(size - whole, MOST_FOOTER_BYTES) if whole < size else b""
        return rows_of(footer)
    except ValueError:
        return None
