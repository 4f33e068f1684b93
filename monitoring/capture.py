"""Capture records as columns: the rows that were sent, and the scores that were answered.

A record is one line of a capture file and holds one request of one or many rows. A record that cannot be read is
counted with its reason and left out; the rest is analysed.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-results.html (capture files).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from monitoring.decode import CONTENT_TYPES, Refused, accepted, decode_rows, decode_scores
from monitoring.window import Window
from serving.contract import CSV, JSON

NOT_A_RECORD: Final = "the line is not a capture record"
NO_TIME: Final = "the record has no inferenceTime that can be read"
NO_INPUT: Final = "the record has no input that can be read"
NO_TYPE: Final = "the content type is none that the endpoint takes"
UNEQUAL: Final = "rows and predictions differ in number"

_SIDE: Final = pl.Struct({"observedContentType": pl.String, "data": pl.String, "encoding": pl.String})
_RECORD: Final = pl.Schema(
    {
        "captureData": pl.Struct({"endpointInput": _SIDE, "endpointOutput": _SIDE}),
        "eventMetadata": pl.Struct({"eventId": pl.String, "inferenceId": pl.String, "inferenceTime": pl.String}),
    }
)


@dataclass
class Tally:
    """What became of the records: every one read is used, outside the window, or refused for a reason.

    Attributes:
        files: Files read.
        read: Records (lines) read.
        outside: Records of the same hours whose inference lies outside the window.
        rows: Rows of the records used.
        reasons: Records refused, by reason.
    """

    files: int = 0
    read: int = 0
    outside: int = 0
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        refused = self.reasons.total()
        counts = {
            "files": self.files,
            "read": self.read,
            "outside_window": self.outside,
            "rows": self.rows,
            "refused": refused,
        }
        return {**counts, "reasons": dict(self.reasons.most_common())}


def read_capture(
    files: Sequence[bytes], schema: pl.Schema, window: Window, tally: Tally
) -> list[tuple[pl.DataFrame, pl.Series]]:
    """Read capture files' contents.

    Args:
        files: Each file's bytes, JSON Lines.
        schema: The model's inputs in the signature's order: Float64 for numeric ones, String for categorical ones.
        window: Records whose inferenceTime lies outside are left out.
        tally: Counts what was read, used and refused; added to.

    Returns:
        Pairs of rows (a column an input) and scores (null where no output was captured), of the same length.
    """
    records = records_within(files, window, tally)
    pieces = [
        piece for group in records.partition_by("input_type", "output_type") for piece in _decode(group, schema, tally)
    ]
    tally.rows += sum(len(rows) for rows, _ in pieces)
    return pieces


def records_within(files: Sequence[bytes], window: Window, tally: Tally) -> pl.DataFrame:
    """The records of the window as text: columns id, time, input, input_type, output, output_type.

    The id is the inferenceId where the client gave one, else the eventId.
    """
    tally.files += len(files)
    lines, broken = accepted([line for file in files for line in file.splitlines() if line.strip()], _records)
    tally.reasons.update(map(str, broken))
    tally.read += len(broken) + sum(map(len, lines))
    return _within(_normal(pl.concat([_RECORD.to_frame(), *lines])), window, tally)


def _records(lines: Sequence[bytes]) -> pl.DataFrame:
    try:
        return pl.read_ndjson(b"\n".join(lines), schema=_RECORD)
    except pl.exceptions.PolarsError as error:
        raise Refused(NOT_A_RECORD) from error


def _normal(records: pl.DataFrame) -> pl.DataFrame:
    """One column each for the id, the time, and for content type and text of input and output."""
    metadata = pl.col("eventMetadata").struct
    time, id_ = metadata.field("inferenceTime"), pl.coalesce(metadata.field("inferenceId"), metadata.field("eventId"))
    sides = [expression for side in ("input", "output") for expression in _side(side)]
    return records.select(id_.alias("id"), time.str.to_datetime(time_zone="UTC", strict=False).alias("time"), *sides)


def _side(side: str) -> list[pl.Expr]:
    fields = pl.col("captureData").struct.field(f"endpoint{side.capitalize()}")
    data, encoding = fields.struct.field("data"), fields.struct.field("encoding")
    text = (
        pl.when(encoding == "BASE64")
        .then(data.str.decode("base64", strict=False).cast(pl.String, strict=False))
        .otherwise(data)
    )
    named = fields.struct.field("observedContentType").str.split(";").list.first().str.strip_chars().str.to_lowercase()
    assumed = pl.when(encoding == "CSV").then(pl.lit(CSV)).when(encoding == "JSON").then(pl.lit(JSON))
    content_type = pl.when(text.is_not_null()).then(pl.coalesce(named, assumed))
    return [text.alias(side), content_type.alias(f"{side}_type")]


def _within(records: pl.DataFrame, window: Window, tally: Tally) -> pl.DataFrame:
    """The records of the window that can be decoded; the others are counted."""
    known = pl.col("input_type").is_in(CONTENT_TYPES) & (
        pl.col("output").is_null() | pl.col("output_type").is_in(CONTENT_TYPES)
    )
    reason = (
        pl.when(pl.col("time").is_null())
        .then(pl.lit(NO_TIME))
        .when(~pl.col("time").is_between(window.start, window.end, closed="left"))
        .then(pl.lit(""))
        .when(pl.col("input").is_null())
        .then(pl.lit(NO_INPUT))
        .when(~known.fill_null(value=False))
        .then(pl.lit(NO_TYPE))
    )
    judged = records.with_columns(reason.alias("reason"))
    reasons = Counter(judged["reason"].drop_nulls().to_list())
    tally.outside += reasons.pop("", 0)
    tally.reasons.update(reasons)
    return judged.filter(pl.col("reason").is_null())


def _decode(group: pl.DataFrame, schema: pl.Schema, tally: Tally) -> list[tuple[pl.DataFrame, pl.Series]]:
    """Decode records that share their content types."""
    if group.is_empty():
        return []
    input_type, output_type = group.row(0, named=True)["input_type"], group.row(0, named=True)["output_type"]

    def decode(records: Sequence[tuple[str, str]]) -> tuple[pl.DataFrame, pl.Series]:
        rows = decode_rows(input_type, [body for body, _ in records], schema)
        if output_type is None:
            return rows, pl.Series("score", [None] * len(rows), dtype=pl.Float64)
        scores = decode_scores(output_type, [answer for _, answer in records])
        if len(scores) != len(rows):
            raise Refused(UNEQUAL)
        return rows, scores

    pairs = list(zip(group["input"].to_list(), group["output"].to_list(), strict=True))
    pieces, refused = accepted(pairs, decode)
    tally.reasons.update(map(str, refused))
    return pieces
