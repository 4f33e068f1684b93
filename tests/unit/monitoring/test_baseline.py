"""The baseline job freezes what the training split and the model's scores of it look like."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.__main__ import main
from monitoring.baseline import compute_baseline
from monitoring.baseline_document import read_baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_OUTPUT,
    CONSTRAINTS_FILE,
    DATA_INPUT,
    MODEL_INPUT,
    STATISTICS_FILE,
)
from monitoring.model_monitor import constraints, statistics
from monitoring.profile import Profile
from monitoring.spec import Spec
from tests.unit.monitoring.conftest import CATEGORICAL, NUMERIC, SPEC, job


@pytest.fixture
def inputs(tmp_path, winter, model_archive):
    """A job's ML root with the training split and the model."""
    for name in (DATA_INPUT, MODEL_INPUT):
        (tmp_path / "processing" / name).mkdir(parents=True)
    winter.write_parquet(tmp_path / "processing" / DATA_INPUT / "data.parquet")
    (tmp_path / "processing" / MODEL_INPUT / "model.tar.gz").write_bytes(model_archive.read_bytes())
    return tmp_path


def test_the_job_writes_the_baseline_and_model_monitors_files(inputs, winter):
    assert main(["baseline"], job(inputs, SPEC)) == 0
    output = inputs / "processing" / BASELINE_OUTPUT
    written = json.loads((output / BASELINE_FILE).read_text())
    assert [each["name"] for each in written["features"]] == [*NUMERIC, *CATEGORICAL]
    assert all(sum(each["counts"]) == len(winter) for each in [*written["features"], written["prediction"]])
    found = json.loads((output / STATISTICS_FILE).read_text())
    assert found["dataset"]["item_count"] == len(winter)
    assert json.loads((output / CONSTRAINTS_FILE).read_text())["version"] == 0


def test_a_baseline_reads_back_as_it_was_written(tmp_path, baseline):
    (tmp_path / BASELINE_FILE).write_text(json.dumps(baseline.to_json()))
    again = read_baseline(tmp_path / BASELINE_FILE)
    assert again.to_json() == baseline.to_json()
    assert again.bins == baseline.bins
    assert list(again.schema) == [*NUMERIC, *CATEGORICAL]


def test_the_prediction_is_the_models_own_over_the_whole_split(baseline, winter):
    # The model was fitted to these rows, so its mean score is their mean label.
    assert baseline.profile.prediction.rows == len(winter)
    assert baseline.profile.prediction.mean == pytest.approx(winter["late"].mean(), abs=0.005)


def test_a_split_without_an_input_of_the_model_is_refused(inputs, winter):
    winter.drop("temp").write_parquet(inputs / "processing" / DATA_INPUT / "data.parquet")
    assert main(["baseline"], job(inputs, SPEC)) == 1
    assert "lacks the model's input temp" in (inputs / "output" / "message").read_text()


def test_a_corrupt_model_is_refused_with_the_reason(inputs, capsys):
    (inputs / "processing" / MODEL_INPUT / "model.tar.gz").write_bytes(b"not an archive")
    assert main(["baseline"], job(inputs, SPEC)) == 1
    assert "is not a readable gzipped tar archive" in (inputs / "output" / "message").read_text()
    assert "Traceback" not in capsys.readouterr().err


def test_an_empty_split_is_refused(inputs, winter):
    winter.clear().write_parquet(inputs / "processing" / DATA_INPUT / "data.parquet")
    assert main(["baseline"], job(inputs, SPEC)) == 1
    assert "no rows to make a baseline of" in (inputs / "output" / "message").read_text()


def profile_of(rows):
    fit = [NumericBins.fit(rows["temp"]), CategoricalBins.fit(rows["carrier"])]
    return Profile.of(fit, NumericBins("score", (0.5,)), rows, pl.Series([0.1] * len(rows)))


def test_statistics_are_in_model_monitors_format():
    rows = pl.DataFrame({"temp": [1.0, 2.5, 4.0, None], "carrier": ["AA", "UA", "AA", ""]})
    temp, carrier = statistics(rows, profile_of(rows))["features"]
    assert (temp["name"], temp["inferred_type"]) == ("temp", "Fractional")
    numerical = temp["numerical_statistics"]
    assert numerical["common"] == {"num_present": 3, "num_missing": 1}
    assert (numerical["mean"], numerical["sum"], numerical["min"], numerical["max"]) == (2.5, 7.5, 1.0, 4.0)
    assert numerical["std_dev"] == pytest.approx(np.sqrt(1.5))
    buckets = numerical["distribution"]["kll"]["buckets"]
    assert sum(bucket["count"] for bucket in buckets) == 3
    assert (buckets[0]["lower_bound"], buckets[-1]["upper_bound"]) == (1.0, 4.0)
    assert carrier["string_statistics"] == {
        "common": {"num_present": 3, "num_missing": 1},
        "distinct_count": 2,
        "distribution": {"categorical": {"buckets": [{"value": "AA", "count": 2}, {"value": "UA", "count": 1}]}},
    }


def test_constraints_are_in_model_monitors_format():
    rows = pl.DataFrame({"temp": [-1, 2, 4, None], "carrier": ["AA", "UA", "AA", "AA"]})
    found = constraints(rows, profile_of(rows))
    assert found["features"] == [
        {
            "name": "temp",
            "inferred_type": "Integral",
            "completeness": 0.75,
            "num_constraints": {"is_non_negative": False},
        },
        {
            "name": "carrier",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["AA", "UA"]},
        },
    ]
    assert found["monitoring_config"]["distribution_constraints"]["perform_comparison"] == "Enabled"


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=30))
def test_any_column_whatever_makes_files_that_are_json(values):
    rows = pl.DataFrame(
        {"temp": values, "carrier": ["AA"] * len(values)}, schema={"temp": pl.Float64, "carrier": pl.String}
    )
    profile = profile_of(rows)
    for document in (statistics(rows, profile), constraints(rows, profile)):
        json.dumps(document, allow_nan=False)


def test_the_baseline_is_the_same_whatever_the_order_of_rows(winter, predictor, baseline):
    again = compute_baseline(
        winter.sample(fraction=1, shuffle=True, seed=5), predictor, Spec.from_json(json.dumps(SPEC))
    )
    assert again.bins == baseline.bins
    assert all(
        np.array_equal(ours.counts, theirs.counts)
        for ours, theirs in zip(again.profile.features, baseline.profile.features, strict=True)
    )
