"""What is served is what LightGBM itself says."""

import csv
import io

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.contract import CSV
from serving.core.booster import Booster
from serving.core.errors import ArtifactError
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from tests.unit.serving.conftest import COLOURS, INPUTS, SIZES, edge_rows

NUMBERS = st.floats(width=64) | st.sampled_from([1e308, -1e308, 5e-324, -0.0])
CODES = st.sampled_from([float("nan"), *map(float, range(len(SIZES)))])


def test_ten_thousand_random_and_edge_rows_score_as_in_the_library(
    predictor: Predictor, booster: lightgbm.Booster
) -> None:
    rows = edge_rows(10_000, seed=2)
    expected = booster.predict(rows)
    np.testing.assert_allclose(predictor.score(rows), expected, rtol=0, atol=1e-12)
    one_by_one = [predictor.score_row(row.tolist()) for row in rows[:2000]]
    np.testing.assert_allclose(one_by_one, expected[:2000], rtol=0, atol=1e-12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.tuples(NUMBERS, CODES, NUMBERS, CODES, NUMBERS))
def test_any_row_scores_as_in_the_library(
    predictor: Predictor, booster: lightgbm.Booster, row: tuple[float, ...]
) -> None:
    expected = booster.predict(np.array([row]))[0]
    assert predictor.score_row(list(row)) == pytest.approx(expected, abs=1e-12)
    assert predictor.score(np.array([row, row])) == pytest.approx(expected, abs=1e-12)


def test_rows_sent_as_csv_score_as_in_the_library(predictor: Predictor, booster: lightgbm.Booster) -> None:
    rows = edge_rows(2000, seed=3)
    text = io.StringIO()
    writer = csv.writer(text)
    for width, colour, height, size, depth in rows.tolist():
        colour_text = "" if colour != colour else COLOURS[int(colour)]  # noqa: PLR0124 - NaN
        size_text = "unheard of" if size != size else SIZES[int(size)]  # noqa: PLR0124 - NaN
        writer.writerow([repr(width), colour_text, repr(height), size_text, repr(depth)])
    parsed = RowParser(predictor.signature).parse(text.getvalue().encode(), CSV)
    np.testing.assert_allclose(predictor.score(parsed.matrix), booster.predict(rows), rtol=0, atol=1e-12)
    assert parsed.unknown == {"size": np.isnan(rows[:, 3]).sum()}


def test_rows_that_are_not_contiguous_in_memory_are_read_in_order(predictor: Predictor) -> None:
    rows = edge_rows(100, seed=4)
    assert predictor.score(np.asfortranarray(rows)).tolist() == predictor.score(rows).tolist()


def test_a_matrix_of_another_width_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match=f"6 columns, the model {len(INPUTS)} features"):
        predictor.score(np.zeros((2, 6)))


@pytest.mark.parametrize("model", [b"", b"no model", b"tree\nversion=v4\n", b"tree\0"])
def test_what_lightgbm_cannot_read_is_refused_in_one_line(model: bytes) -> None:
    with pytest.raises(ArtifactError) as caught:
        Booster(model)
    assert "\n" not in str(caught.value)


def test_a_label_is_one_from_the_threshold_on(predictor: Predictor) -> None:
    assert [predictor.label(score) for score in (0.4999, 0.5, 0.51)] == [0, 1, 1]
