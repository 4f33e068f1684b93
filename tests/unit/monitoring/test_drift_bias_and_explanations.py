"""The drift job where groups are declared and answers explained: measured beside drift, and never in its way."""

import json
import shutil

import polars as pl
import pytest

from infra.demo import flights
from monitoring.baseline import compute_baseline
from monitoring.contract import BASELINE_FILE, MODEL_INPUT, REPORT_OUTPUT
from monitoring.spec import Spec
from tests.unit.monitoring.captured import capture, published
from tests.unit.monitoring.conftest import CATEGORICAL, NUMERIC, SPEC


@pytest.fixture
def explained(tmp_path, folder, winter, predictor, model_archive):  # noqa: PLR0917 - fixtures
    """The job's inputs where groups are declared and answers explained."""
    baseline = compute_baseline(winter, predictor, Spec.from_json(json.dumps(SPEC | {"explained_rows": 300})))
    (folder / BASELINE_FILE).write_text(json.dumps(baseline.to_json()))
    (tmp_path / "processing" / MODEL_INPUT).mkdir()
    shutil.copy(model_archive, tmp_path / "processing" / MODEL_INPUT)
    return {"groups": ["origin"], "explained_rows": 300, "minimum_group_rows": 100}


def test_answers_are_compared_by_group_and_explained_beside_the_training_rows(drift, explained, predictor):
    july = flights.month(7)[:5000]
    scores = capture(july, predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z", **explained)
    (bias,) = report["bias"]
    answered = july.select("origin").with_columns(answer=pl.Series(scores >= 0.5))
    expected = dict(answered.group_by("origin").agg(pl.col("answer").mean()).iter_rows())
    assert {each["group"]: each["positive_rate"] for each in bias["groups"]} == pytest.approx(expected)
    assert bias["demographic_parity_difference"] == pytest.approx(max(expected.values()) - min(expected.values()))
    explanations = report["explanations"]
    assert (explanations["rows"], {each["name"] for each in explanations["mean_absolute"]}) == (
        300,
        {*NUMERIC, *CATEGORICAL},
    )
    values = {key: values[0] for key, (_, values) in published().items()}
    assert values["DemographicParityDifference", "origin"] == pytest.approx(bias["demographic_parity_difference"])
    assert values["ExplanationRankingAgreement", None] == pytest.approx(explanations["ranking_agreement"])
    heaviest = explanations["mean_absolute"][0]
    assert values["MeanAbsoluteContribution", heaviest["name"]] == pytest.approx(heaviest["current"])


def test_the_compiled_reader_counts_groups_as_the_careful_one_does(  # noqa: PLR0917 - fixtures
    drift, explained, predictor, scan_library, monkeypatch
):
    capture(flights.month(7)[:5000], predictor, "2013/07/01/05/a.jsonl")
    _, careful, _ = drift("2013-08-01T06:00:00Z", **explained)
    monkeypatch.setenv("SAGESTACK_SCAN_LIBRARY", str(scan_library))
    _, compiled, _ = drift("2013-08-01T06:00:00Z", **explained)
    assert compiled["bias"] == careful["bias"]
    assert compiled["explanations"] == careful["explanations"]


def test_what_nobody_asked_for_is_neither_counted_nor_reported(drift, predictor):
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    assert (report["bias"], report["explanations"]) == ([], None)
    assert not {name for name, _ in published()} & {"DisparateImpact", "ExplanationRankingAgreement"}


def test_a_baseline_from_before_groups_and_explanations_is_read_and_gives_none(drift, explained, folder, predictor):
    document = json.loads((folder / BASELINE_FILE).read_text())
    (folder / BASELINE_FILE).write_text(
        json.dumps({k: v for k, v in document.items() if k not in {"decided", "explained"}})
    )
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    code, report, _ = drift("2013-08-01T06:00:00Z", **explained)
    assert (code, report["bias"], report["explanations"]) == (0, [], None)
    assert report["notes"] == [
        "answers are not compared by group: the baseline knows of none",
        "answers are not explained: the baseline was made without",
    ]


def test_a_model_that_the_baseline_was_not_made_with_explains_nothing(  # noqa: PLR0917 - fixtures
    drift, explained, folder, predictor, tmp_path
):
    document = json.loads((folder / BASELINE_FILE).read_text())
    (folder / BASELINE_FILE).write_text(json.dumps(document | {"model_sha256": "0" * 64}))
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z", **explained)
    why = "answers are not explained: the model is not the one that the baseline was made with"
    assert (report["explanations"], report["notes"]) == (None, [why])
    assert (tmp_path / "output/message").read_text().endswith(f"; {why}")
    assert f"{why.capitalize()}." in (tmp_path / "processing" / REPORT_OUTPUT / "report.html").read_text()
