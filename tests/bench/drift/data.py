"""The bench's columns, and a window of them as Parquet or as captured JSON Lines, a million rows at a time."""

import shutil
import sys
from pathlib import Path

import numpy as np
import polars as pl

MILLION = 1_000_000
NUMERIC, CATEGORICAL = [f"n{place}" for place in range(20)], [f"c{place}" for place in range(5)]
KINDS = (5, 10, 20, 50, 200)
HOURS = 24
ROW_GROUP = 2**17


def frame(rows, seed):
    """Normal numbers of four decimals; categories of which some are frequent and most are not."""
    chance = np.random.default_rng(seed)
    columns = {name: np.round(chance.normal(size=rows) * 10, 4) for name in NUMERIC}
    for name, kinds in zip(CATEGORICAL, KINDS, strict=True):
        places = np.minimum(chance.geometric(min(0.5, 3 / kinds), size=rows) - 1, kinds - 1)
        columns[name] = pl.Series([f"k{kind}" for kind in range(kinds)]).gather(places)
    return pl.DataFrame(columns)


def write(path, form, rows):
    """One Parquet file, or a folder of captured files: a day a million."""
    parts = path.with_suffix(".parts")
    for million, start in enumerate(range(0, rows, MILLION)):
        part = frame(min(MILLION, rows - start), seed=million + 1)
        if form == "jsonl":
            capture(path, part, million)
        else:
            parts.mkdir(exist_ok=True)
            part.write_parquet(parts / f"{million:03}.parquet")
    if form == "parquet":
        pl.scan_parquet(parts).sink_parquet(path, row_group_size=ROW_GROUP)
        shutil.rmtree(parts)


def capture(folder: Path, rows, day):
    """As SageMaker captures them: a record a row, a folder an hour, a few files in it."""
    chance = np.random.default_rng(day)
    ids = [chance.bytes(16).hex() for _ in range(len(rows))]
    side = '{"observedContentType":"text/csv","mode":"%s","data":"'
    moment = f"2013-03-{day + 1:02}T"
    for hour in range(HOURS):
        within = slice(len(rows) * hour // HOURS, len(rows) * (hour + 1) // HOURS)
        of_hour = rows[within]
        lines = of_hour.select(
            pl.concat_str(
                pl.lit('{"captureData":{"endpointInput":' + side % "INPUT"),
                pl.concat_str(*rows.columns, separator=","),
                pl.lit('","encoding":"CSV"},"endpointOutput":' + side % "OUTPUT"),
                pl.Series(chance.random(len(of_hour))).cast(pl.String),
                pl.lit('\\n","encoding":"CSV"}},"eventMetadata":{"eventId":"'),
                pl.Series(ids[within]),
                pl.lit(f'","inferenceTime":"{moment}{hour:02}:30:00Z"}},"eventVersion":"0"}}'),
            )
        ).to_series()
        place = folder / f"{moment[:-1].replace(chr(45), chr(47))}" / f"{hour:02}"
        place.mkdir(parents=True)
        for number, part in enumerate((lines[: len(lines) // 2], lines[len(lines) // 2 :])):
            (place / f"{30 * number:02}-00-000.jsonl").write_text("\n".join(part.to_list()) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
