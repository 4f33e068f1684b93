"""How good the answers were: the AUC of served scores, and the scores of a model that was never retrained."""

import numpy as np
import polars as pl
