"""NannyML with its defaults: univariate drift of any column, reconstruction error, and either of them.

The window is one chunk of the reference's chunks' size, where the reference has ten such chunks or more; a larger one
is cut in ten, as the reference is, and alarms if any part of it does.
"""

import nannyml
from quality_peer import categories, judge

CHUNKS = 10


def fit(reference, rows):
    names, text = list(reference.columns), categories(reference)
    size = {"chunk_size": rows} if CHUNKS * rows <= len(reference) else {"chunk_number": CHUNKS}
    reference = typed(reference, text)
    univariate = nannyml.UnivariateDriftCalculator(column_names=names, **size).fit(reference)
    multivariate = nannyml.DataReconstructionDriftCalculator(column_names=names, **size).fit(reference)

    def verdict(window):
        window = typed(window, text)
        columns = furthest(univariate, window, [f"{name}_jensen_shannon" for name in names])
        error = furthest(multivariate, window, ["reconstruction_error"])
        return {"nannyml, any column": columns, "nannyml, error": error, "nannyml, either": max(columns, error)}

    return verdict


def typed(frame, text):
    return frame.astype(dict.fromkeys(text, "category"))


def furthest(calculator, window, metrics):
    """The largest of the metrics in thresholds; where there are two, from the middle between them."""
    found = calculator.calculate(window).filter(period="analysis").to_df(multilevel=False)
    ratios = []
    for metric in metrics:
        value, upper = (found[f"{metric}_{part}"].astype(float) for part in ("value", "upper_threshold"))
        lower = found[f"{metric}_lower_threshold"].astype(float)
        middle = ((lower + upper) / 2).fillna(0.0)
        ratios.append(((value - middle).abs() / (upper - middle).clip(lower=1e-12)).max())
    return max(ratios)


judge("nannyml", fit)
