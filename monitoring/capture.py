"""Capture records as columns: the rows that were sent, and the scores that were answered.

A record is one line of a capture file and holds one request of one or many rows. A record that cannot be read is
counted with its reason and left out; the rest is analysed.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-results.html (capture files).
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from monitoring.decode import CONTENT_TYPES, Refused, accepted, decode_rows, decode_scores
from monitoring.event_ids import SeenEvents, hashes
from monitoring.tally import Refusal, Tally
from monitoring.window import Window
from serving.contract import CSV, JSON

NOT_A_RECORD: Final = "the line is not a capture record"
NO_TIME: Final = "the record has no inferenceTime that can be read"
NO_INPUT: Final = "the record has no input that can be read"
NO_TYPE: Final = "the content type is none that the endpoint takes"
NO_VERSION: Final = "the record's eventVersion is not 0"
UNEQUAL: Final = "rows and predictions differ in number"
OUTSIDE: Final = ""
EVENT_VERSION: Final = "0"

_SIDE: Final = pl.Struct({"observedContentType": pl.String, "data": pl.String, "encoding": pl.String})
_RECORD: Final = pl.Schema(
    {
        "captureData": pl.Struct({"endpointInput": _SIDE, "endpointOutput": _SIDE}),
        "eventMetadata": pl.Struct({"eventId": pl.String, "inferenceId": pl.String, "inferenceTime": pl.String}),
        "eventVersion": pl.String(),
    }
)
_NO_LINE: Final = pl.Series("line", [], dtype=pl.Int64)


def read_capture(
    lines: Sequence[bytes], schema: pl.Schema, window: Window, seen: SeenEvents, *, file: str
) -> tuple[list[tuple[pl.DataFrame, pl.Series]], Tally]:
    """Read lines of a capture file, of whatever kind.

    Args:
        lines: Each a record, none of them blank.
        schema: The model's inputs in the signature's order: Float64 for numeric ones, String for categorical ones.
        window: Records whose inferenceTime lies outside are left out.
        seen: Events read before; added to.
        file: Where the lines are from, for those that are refused.

    Returns:
        Pairs of rows (a column an input) and scores (null where no output was captured), of the same length; and what
        became of the lines.
    """
    records, tally = records_within(lines, window, seen, file=file)
    pieces = []
    for group in records.partition_by("input_type", "output_type") if len(records) else ():
        decoded, refused = _decode(group, schema)
        tally.refuse(Refusal.of(file, str(refusal), lines[place]) for place, refusal in refused)
        tally.used += len(group) - len(refused)
        pieces += decoded
    tally.rows = sum(len(rows) for rows, _ in pieces)
    return pieces, tally


def records_within(
    lines: Sequence[bytes], window: Window, seen: SeenEvents, *, file: str
) -> tuple[pl.DataFrame, Tally]:
    """The records of the window as text: columns line, event, id, time, input, input_type, output, output_type.

    The id is the inferenceId where the client gave one, else the eventId. Records used are not counted yet.
    """
    tally = Tally(read=len(lines))
    frames, broken = accepted(list(enumerate(lines)), _records)
    tally.refuse(Refusal.of(file, str(refusal), line) for (_, line), refusal in broken)
    judged = _judged(_normal(pl.concat([_RECORD.to_frame().with_columns(_NO_LINE), *frames])), window)
    for place, reason in judged.select("line", "reason").drop_nulls().iter_rows():
        if reason == OUTSIDE:
            tally.outside += 1
        else:
            tally.refuse([Refusal.of(file, reason, lines[place])])
    records = judged.filter(pl.col("reason").is_null())
    fresh = seen.first(hashes(records["event"]))
    tally.duplicates = len(fresh) - int(fresh.sum())
    return records.filter(fresh), tally


def _records(lines: Sequence[tuple[int, bytes]]) -> pl.DataFrame:
    try:
        # After a line's end, no line is taken for a compressed file.
        records = pl.read_ndjson(b"\n" + b"\n".join(line for _, line in lines), schema=_RECORD)
    except pl.exceptions.PolarsError as error:
        raise Refused(NOT_A_RECORD) from error
    if len(records) != len(lines):
        raise Refused(NOT_A_RECORD)
    return records.with_columns(pl.Series("line", [place for place, _ in lines], dtype=pl.Int64))


def _normal(records: pl.DataFrame) -> pl.DataFrame:
    """One column each for the ids, the time, and for content type and text of input and output."""
    metadata = pl.col("eventMetadata").struct
    time, event = metadata.field("inferenceTime"), metadata.field("eventId")
    id_ = pl.coalesce(metadata.field("inferenceId"), event)
    sides = [expression for side in ("input", "output") for expression in _side(side)]
    time = time.str.to_datetime(time_zone="UTC", strict=False)
    return records.select("line", event.alias("event"), id_.alias("id"), time.alias("time"), "eventVersion", *sides)


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


def _judged(records: pl.DataFrame, window: Window) -> pl.DataFrame:
    """With a column `reason`: why the record cannot be decoded, null where it can."""
    known = pl.col("input_type").is_in(CONTENT_TYPES) & (
        pl.col("output").is_null() | pl.col("output_type").is_in(CONTENT_TYPES)
    )
    reason = (
        pl.when(pl.col("eventVersion") != EVENT_VERSION)
        .then(pl.lit(NO_VERSION))
        .when(pl.col("time").is_null())
        .then(pl.lit(NO_TIME))
        .when(~pl.col("time").is_between(window.start, window.end, closed="left"))
        .then(pl.lit(OUTSIDE))
        .when(pl.col("input").is_null())
        .then(pl.lit(NO_INPUT))
        .when(~known.fill_null(value=False))
        .then(pl.lit(NO_TYPE))
    )
    return records.with_columns(reason.alias("reason"))


def _decode(
    group: pl.DataFrame, schema: pl.Schema
) -> tuple[list[tuple[pl.DataFrame, pl.Series]], list[tuple[int, Refused]]]:
    """Decode records that share their content types; the refused ones by their line."""
    input_type, output_type = group.row(0, named=True)["input_type"], group.row(0, named=True)["output_type"]

    def decode(records: Sequence[tuple[int, str, str]]) -> tuple[pl.DataFrame, pl.Series]:
        rows = decode_rows(input_type, [body for _, body, _ in records], schema)
        if output_type is None:
            return rows, pl.Series("score", [None] * len(rows), dtype=pl.Float64)
        scores = decode_scores(output_type, [answer for _, _, answer in records])
        if len(scores) != len(rows) or not _paired(records):
            raise Refused(UNEQUAL)
        return rows, scores

    pieces, refused = accepted(group.select("line", "input", "output").rows(), decode)
    return pieces, [(line, refusal) for (line, _, _), refusal in refused]


def _paired(records: Sequence[tuple[int, str, str]]) -> bool:
    """Whether each of several records has as many lines as answers, so that none makes up for another."""
    return len(records) == 1 or all(
        body.rstrip("\r\n").count("\n") == answer.rstrip("\r\n").count("\n") for _, body, answer in records
    )
