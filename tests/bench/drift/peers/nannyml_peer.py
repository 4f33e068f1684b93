"""NannyML's univariate drift: Kolmogorov-Smirnov, and Jensen-Shannon for categories (it has no PSI)."""

import nannyml
from drift_peer import CATEGORICAL, measure


def compute(reference, current, _):
    for column in CATEGORICAL:
        reference[column], current[column] = reference[column].astype("category"), current[column].astype("category")
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*reference.columns],
        continuous_methods=["kolmogorov_smirnov"],
        categorical_methods=["jensen_shannon"],
        chunk_number=1,
    )
    calculator.fit(reference).calculate(current).to_df()


measure("nannyml", compute)
