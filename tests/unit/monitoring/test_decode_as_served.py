"""What is monitored is what was served: captured bodies mean here what they meant to the endpoint."""

import json
import math

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from monitoring.decode import Refused, decode_rows
from serving.contract import CSV, JSON, JSON_LINES
from serving.core.errors import InputError
from serving.core.parsing import RowParser
from serving.core.signature import Input, Signature

CATEGORIES = ("AA", "UA", "A,B", "7", "é")
SERVED = RowParser(
    Signature(
        "m",
        "regression",
        "4",
        "model.txt",
        "0",
        (Input("temp", "numeric"), Input("carrier", "categorical", CATEGORIES)),
    )
)
SCHEMA = pl.Schema({"temp": pl.Float64, "carrier": pl.String})
NUMBERS = st.one_of(
    st.floats().map(repr), st.integers().map(str), st.sampled_from(["", " 1 ", "+1", ".5", "1.", "x", "NaN", "inf"])
)
TEXTS = st.sampled_from(["AA", "UA", '"A,B"', "", "new", "7", "é", " AA"])
CSV_BODIES = st.lists(st.tuples(NUMBERS, TEXTS).map(",".join), min_size=1, max_size=6).map("\n".join)
VALUES = st.one_of(st.floats(), st.integers(-9, 9), st.none(), st.sampled_from([*CATEGORIES, "", "new", 7]))
JSON_ROWS = st.lists(
    st.one_of(st.lists(VALUES, max_size=3), st.fixed_dictionaries({"temp": VALUES, "carrier": VALUES})), max_size=5
)


def as_served(body, content_type):
    """The rows as the endpoint reads them, categories by name; None if it refuses the body."""
    try:
        rows = SERVED.parse(body.encode(), content_type).values
    except InputError:
        return None
    return [(temp, None if math.isnan(code) else CATEGORIES[int(code)]) for temp, code in rows]


def as_monitored(body, content_type):
    try:
        rows = decode_rows(content_type, [body], SCHEMA).rows()
    except Refused:
        return None
    return [(math.nan if temp is None else temp, carrier if carrier in CATEGORIES else None) for temp, carrier in rows]


def same(served, monitored):
    if served is None or monitored is None:
        # A body the endpoint refuses is answered 400 and holds no rows to monitor; one it takes must not be lost.
        return served is None
    return repr(served) == repr(monitored)


@given(CSV_BODIES)
@example("1,AA\n2\n3,AA,")
@example("temp,carrier\n1,AA\n")
@example("1_0,AA")
def test_csv_means_what_it_meant_to_the_endpoint(body):
    assert same(as_served(body, CSV), as_monitored(body, CSV))


@given(JSON_ROWS)
def test_json_means_what_it_meant_to_the_endpoint(rows):
    body = json.dumps({"instances": rows})
    assert same(as_served(body, JSON), as_monitored(body, JSON))


@given(JSON_ROWS)
def test_json_lines_mean_what_they_meant_to_the_endpoint(rows):
    body = "\n".join(json.dumps(row) for row in rows)
    assert same(as_served(body, JSON_LINES), as_monitored(body, JSON_LINES))
