"""Calibrated thresholds raise as many false alarms as were asked for, whatever the window's size, and see shifts."""

import json
from typing import get_args

import numpy as np
import polars as pl
import pytest

from infra.config.monitoring import CategoricalStatistic, NumericStatistic
from monitoring.baseline_document import Baseline
from monitoring.bins import NEW, CategoricalBins, NumericBins
from monitoring.calibration import calibrated_thresholds
from monitoring.profile import Distribution, Profile
from monitoring.report import compare
from monitoring.spec import DriftSpec
from monitoring.statistics import STATISTICS
from tests.unit.monitoring.conftest import DRIFT_SPEC

ROWS = 20_000
FEATURES = 8


def spec(**change):
    return DriftSpec.from_json(json.dumps(DRIFT_SPEC | {"false_alarm_rate": 0.05} | change))


def distribution(number, probabilities, rows, generator):
    bins = NumericBins(f"x{number}", tuple(float(edge) for edge in range(len(probabilities) - 2)))
    return Distribution(bins, generator.multinomial(rows, probabilities))


def probabilities(number):
    """Bins of unequal shares, the last (missing) the rarest."""
    weights = np.arange(1, 4 + number)[::-1] ** 1.5
    return weights / weights.sum()


def baseline_of(profile):
    return Baseline("flight-delay", "binary-classification", "0", profile)


def drawn(rows, generator, shifted=None):
    chances = [probabilities(number) for number in range(FEATURES)]
    if shifted is not None:
        chances[shifted] = np.roll(chances[shifted], 1)
    features = tuple(distribution(number, chance, rows, generator) for number, chance in enumerate(chances))
    return Profile(features, Distribution(NumericBins("score", ()), np.zeros(2, dtype=np.int64)))


@pytest.mark.parametrize("statistic", [name for name, one in STATISTICS.items() if "numeric" in one.feature_types])
@pytest.mark.parametrize("rows", [500, 50_000])
def test_as_many_windows_without_drift_raise_the_alarm_as_was_chosen(statistic, rows):
    generator, windows, alarms = np.random.default_rng(1), 1500, 0
    one = STATISTICS[statistic]
    for _ in range(windows // 50):
        baseline = drawn(ROWS, generator).features
        thresholds = calibrated_thresholds(baseline, [one] * FEATURES, rows, 0.05).features
        draws = [generator.multinomial(rows, probabilities(number), size=50) for number in range(FEATURES)]
        values = np.stack([one.compute(then.counts, draw) for then, draw in zip(baseline, draws, strict=True)])
        alarms += int((values >= np.array(thresholds)[:, None]).any(axis=0).sum())
    # 75 are expected; windows against one and the same baseline err together.
    assert 40 <= alarms <= 115


def test_a_fixed_threshold_sleeps_through_a_shift_that_a_calibrated_one_sees():
    generator = np.random.default_rng(2)
    baseline, current = drawn(ROWS, generator), drawn(50_000, generator)
    moved = current.features[3].counts.copy()
    moved[1:3] += (1500, -1500)
    features = (*current.features[:3], Distribution(current.features[3].bins, moved), *current.features[4:])
    window = Profile(features, current.prediction)
    then = baseline_of(baseline)
    assert compare(then, window, spec(false_alarm_rate=None)).status == "no-drift"
    assert compare(then, window, spec()).drifted_features == ["x3"]
    assert compare(then, current, spec()).status == "no-drift"


def test_a_small_window_is_given_more_room_than_a_large_one():
    baseline = drawn(ROWS, np.random.default_rng(3)).features
    psi = [STATISTICS["psi"]] * FEATURES
    small, large = (calibrated_thresholds(baseline, psi, rows, 0.05).features for rows in (500, 50_000))
    assert all(few > 5 * many for few, many in zip(small, large, strict=True))


def test_the_same_window_is_judged_alike_each_time():
    baseline = drawn(ROWS, np.random.default_rng(4)).features
    first, second = (calibrated_thresholds(baseline, [STATISTICS["psi"]] * FEATURES, 700, 0.01) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_feature_that_is_constant_then_and_now_has_not_drifted(statistic):
    bins = CategoricalBins("country", ("NZ",), ())
    then, now = (Distribution(bins, np.array([rows, 0, 0, 0])) for rows in (ROWS, 1000))
    (threshold,) = calibrated_thresholds([then], [STATISTICS[statistic]], 1000, 0.05).features
    assert STATISTICS[statistic].compute(then.counts, now.counts) < threshold


def test_the_report_says_by_what_each_feature_was_judged():
    generator = np.random.default_rng(5)
    then, now = baseline_of(drawn(ROWS, generator)), drawn(2000, generator, shifted=2)
    found = compare(then, now, spec(numeric_statistic="wasserstein"))
    written = found.features[2].to_json()
    assert written["statistic"] == "wasserstein"
    assert written["drifted"]
    assert found.max_drift == found.features[2].ratio > 1
    assert found.max_psi is None


def test_a_model_file_accepts_every_statistic_for_the_features_it_is_meant_for():
    for kind, accepted in (("numeric", NumericStatistic), ("categorical", CategoricalStatistic)):
        assert set(get_args(accepted)) == {name for name, one in STATISTICS.items() if kind in one.feature_types}


def test_a_category_that_is_new_is_expected_as_often_as_those_that_were_seen_once():
    names = tuple(f"rare {number}" for number in range(400))
    counts = np.array([ROWS - 400, 400, 0, 0])
    common, many = (Distribution(CategoricalBins("dest", ("JFK",), names, once), counts) for once in (0, 400))
    deviance = [STATISTICS["deviance"]]
    (few,), (more,) = (calibrated_thresholds([each], deviance, 1000, 0.05).features for each in (common, many))
    window = np.array([960, 20, 20, 0])
    assert window[NEW] == 1000 * 400 / ROWS
    assert few < STATISTICS["deviance"].compute(counts, window) < more


def test_windows_as_large_as_the_baseline_do_not_alarm_because_it_has_not_seen_every_rare_category():
    generator, deviance = np.random.default_rng(7), STATISTICS["deviance"]
    names = np.array([f"category {number}" for number in range(2000)])
    chances = 1 / np.arange(1, len(names) + 1) ** 2
    alarms = []
    for _ in range(60):
        counts = generator.multinomial(ROWS, chances / chances.sum(), size=11)
        then, *windows = (pl.Series("dest", np.repeat(names, each)) for each in counts)
        bins = CategoricalBins.fit(then)
        (threshold,) = calibrated_thresholds([Distribution.of(bins, then)], [deviance], ROWS, 0.05).features
        alarms += [deviance.compute(bins.count(then), bins.count(window)) >= threshold for window in windows]
    assert np.mean(alarms) < 0.08


def test_without_a_rate_nothing_is_drawn_and_with_one_the_statistics_are_the_sharpest():
    assert [spec(false_alarm_rate=None).statistic(kind).name for kind in ("numeric", "categorical")] == ["psi", "psi"]
    assert [spec().statistic(kind).name for kind in ("numeric", "categorical")] == ["components", "deviance"]
    assert spec(numeric_statistic="psi").statistic("numeric").name == "psi"
