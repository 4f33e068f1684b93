"""What the oracles' models are of; shared by the tests and the oracles' own environment."""

import numpy as np

FEATURES = 5
CATEGORICAL = 2
CATEGORIES = 70
ROWS = 10_003
TYPES = ["q", "q", "c", "q", "q"]
NAMES = ["width", "height", "colour", "depth", "weight"]
EDGES = (np.nan, np.inf, -np.inf, 1e300, -1e300, 3.5e38, 5e-324, 1e-40, 0.0, -0.0)
XGBOOST = {
    "binary-logistic": {"objective": "binary:logistic"},
    "reg-logistic": {"objective": "reg:logistic"},
    "reg-squarederror": {"objective": "reg:squarederror", "max_depth": 9, "lambda": 0.1},
    "reg-absoluteerror": {"objective": "reg:absoluteerror"},
    "count-poisson": {"objective": "count:poisson"},
    "reg-gamma": {"objective": "reg:gamma", "grow_policy": "lossguide", "max_leaves": 40, "max_depth": 0},
    "reg-tweedie": {"objective": "reg:tweedie", "num_parallel_tree": 3, "subsample": 0.5},
    "multi-softprob": {"objective": "multi:softprob", "num_class": 4},
    "one-hot-splits": {"objective": "binary:logistic", "max_cat_to_onehot": 100},
    "pruned": {"objective": "binary:logistic", "tree_method": "exact", "gamma": 3.0},
}


def edge_rows(count, seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, FEATURES)) * 10.0 ** random.integers(-3, 3, size=(count, 1))
    for value in EDGES:
        rows[random.random(rows.shape) < 0.02] = value
    codes = random.integers(-1, CATEGORIES, count)  # -1: missing, or of no category
    rows[:, CATEGORICAL] = np.where(codes < 0, np.nan, codes)
    return rows
