import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.alarms.metric_math import Expression, UnsupportedExpressionError

SERIES = {"m1": [1.0, None, 3.0, 0.0], "m2": [10.0, 10.0, None, 0.0]}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("m1/m2*100", [10.0, None, None, None]),
        ("100 * FILL(m1, 0) / m2", [10.0, 0.0, None, None]),
        ("FILL(m1, REPEAT)", [1.0, 1.0, 3.0, 0.0]),
        ("FILL(m1, m2)", [1.0, 10.0, 3.0, 0.0]),
        ("IF(m1 > 2, 1, 0)", [0.0, None, 1.0, 0.0]),
        ("IF(m2 > 0, m1/m2)", [0.1, None, None, None]),
        ("IF(m1 > 0 AND m2 > 0, 1, 0)", [1.0, None, None, 0.0]),
        ("IF(m1 > 5 || m2 >= 10, 1, 0)", [1.0, None, None, 0.0]),
        ("-m1 + 2^2", [3.0, None, 1.0, 4.0]),
        ("ABS(m1 - 2)", [1.0, None, 1.0, 2.0]),
        ("SUM([m1, m2])", [11.0, 10.0, 3.0, 0.0]),
        ("MAX([m1, m2])", [10.0, 10.0, 3.0, 0.0]),
        ("MIN([FILL(m1, 7), 5])", [1.0, 5.0, 3.0, 0.0]),
        ("AVG([m1, m2])", [5.5, 10.0, 3.0, 0.0]),
        ("1", [1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_an_expression_has_the_values_that_cloudwatch_gives(expression, values):
    assert Expression.parse(expression).evaluate(SERIES, 4) == values


def test_an_expression_knows_the_ids_it_speaks_of():
    assert Expression.parse("IF(m1 > 0, FILL(m2, REPEAT), m3)").names == {"m1", "m2", "m3"}


@pytest.mark.parametrize(
    "expression",
    [
        "ANOMALY_DETECTION_BAND(m1, 2)",
        "SEARCH('{x} y', 'Sum', 60)",
        "SELECT AVG(x) FROM y",
        "SUM(METRICS())",
        "RATE(m1)",
        "m1 +",
        "m1.real",
        "__import__('os')",
        "[m1]",
        "MIN(m1)",
    ],
)
def test_what_is_not_understood_is_refused_when_it_is_put(expression):
    with pytest.raises(UnsupportedExpressionError):
        Expression.parse(expression)


NUMBERS = st.none() | st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_arithmetic_needs_both_sides_and_filling_needs_none(rows):
    series = {"a": [left for left, _ in rows], "b": [right for _, right in rows]}
    total = Expression.parse("a + b").evaluate(series, len(rows))
    assert total == [None if None in row else row[0] + row[1] for row in rows]
    assert None not in Expression.parse("FILL(a, 0) - FILL(b, 0)").evaluate(series, len(rows))
