"""pyarrow's Parquet files, which have as many rows as their names say: run by .venvs/oracles."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = (0, 1, 127, 128, 900)
VERSIONS, PAGES, COMPRESSIONS = ("1.0", "2.4", "2.6"), ("1.0", "2.0"), ("none", "zstd")
COLUMNS = 700
"""So many that the footer is longer than what is read of a file at first."""
INNER = pa.struct({"c": pa.decimal128(20, 3)})


def table(rows):
    """Columns of every kind, nested ones too; names and metadata are more than ASCII."""
    numbers = np.arange(rows)
    columns = {
        "number": pa.array(numbers),
        "ratio": pa.array(numbers / 7, mask=numbers % 5 == 0),
        "even": pa.array(numbers % 2 == 0),
        "Größe": pa.array([f"k{n % 9}" for n in numbers]).dictionary_encode(),
        "at": pa.array(numbers.astype("datetime64[us]"), pa.timestamp("us", "UTC")),
        "list": pa.array([[int(n)] * (n % 3) for n in numbers], pa.list_(pa.int32())),
        "struct": pa.array([{"a": 1, "b": {"c": None}}] * rows, pa.struct({"a": pa.int8(), "b": INNER})),
        "map": pa.array([[("k", int(n))] for n in numbers], pa.map_(pa.string(), pa.int64())),
    }
    return pa.table(columns).replace_schema_metadata({"written by": "a test ☃", "empty": ""})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for rows, version, pages, compression in itertools.product(ROWS, VERSIONS, PAGES, COMPRESSIONS):
        options = {"version": version, "data_page_version": pages, "compression": compression, "row_group_size": 50}
        pq.write_table(table(rows), folder / f"{version}-{pages}-{compression}-{rows}.parquet", **options)
    wide = pa.table({f"column {number}": np.arange(900) for number in range(COLUMNS)})
    pq.write_table(wide, folder / "wide-900.parquet", row_group_size=100)
