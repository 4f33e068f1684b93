"""What may happen to a window: six kinds of shift, each in a small and a larger size."""

import polars as pl

from tests.bench.drift_quality.data import LABEL

SEED = 5
NONE = "no shift"


def mean(by):
    """Values of one feature grow by so many standard deviations."""
    return lambda window, data: window.with_columns(pl.col(data.moved) + by * data.rows[data.moved].std())


def scale(by):
    """Values of one feature lie so many times as far from their mean."""
    return lambda window, data: window.with_columns(
        (pl.col(data.moved) - data.rows[data.moved].mean()) * by + data.rows[data.moved].mean()
    )


def new_category(share):
    """So many rows have a category that was never there."""
    return lambda window, data: window.with_columns(_in_some(share, data.category, pl.lit("never seen")))


def missing(share):
    """So many rows lose the value of one feature."""
    return lambda window, data: window.with_columns(_in_some(share, data.moved, pl.lit(None)))


def correlation(share):
    """In so many rows one feature's values change places: its distribution stays, what it goes with does not."""
    return lambda window, data: window.with_columns(_shuffled(window[data.unpaired], round(share * len(window))))


def label(times):
    """Rows whose label is 1 are so many times as frequent."""

    def change(window, data):
        share = data.rows[LABEL].mean() * times
        ones = round(share * len(window))
        drawn = [data.rows.filter(pl.col(LABEL) == value) for value in (1, 0)]
        sizes = (ones, len(window) - ones)
        pair = zip(drawn, sizes, strict=True)
        seed = int(window.hash_rows().sum() % 2**31)
        return pl.concat([part.sample(size, with_replacement=True, seed=seed) for part, size in pair])

    return change


def _in_some(share, column, value):
    """Rows are in no order, so the first ones are any."""
    return pl.when(pl.int_range(pl.len()) >= share * pl.len()).then(column).otherwise(value).alias(column)


def _shuffled(values, some):
    return pl.concat([values[:some].shuffle(SEED), values[some:]])


SHIFTS = {
    (NONE, ""): lambda window, _: window,
    ("mean", "0.1 sd"): mean(0.1),
    ("mean", "0.25 sd"): mean(0.25),
    ("scale", "1.1 times"): scale(1.1),
    ("scale", "1.25 times"): scale(1.25),
    ("new category", "0.5 %"): new_category(0.005),
    ("new category", "2 %"): new_category(0.02),
    ("missing", "1 %"): missing(0.01),
    ("missing", "5 %"): missing(0.05),
    ("correlation", "20 %"): correlation(0.2),
    ("correlation", "all"): correlation(1.0),
    ("label", "1.25 times"): label(1.25),
    ("label", "2 times"): label(2),
}
"""By kind and size: (a window, its data set) -> the window as it would be."""
