"""The demo's report draws what was measured, and nothing that was not."""

import re
from datetime import UTC, datetime

import pytest

from infra.demo import pictures, report
from infra.demo.record import Event, Record


def window(month, value):
    features = [] if value is None else [{"name": "temp", "value": value}]
    return {
        "window": {"start": f"2013-{month:02}-01T00:00:00Z"},
        "features": features,
        "prediction": None if value is None else {"value": 0.02},
    }


@pytest.fixture
def record():
    return Record(
        set_up_seconds=0,
        events=[
            Event(datetime(2013, 4, 1, 2, tzinfo=UTC), "deploy", "version 1 is live, verified"),
            Event(datetime(2013, 5, 1, 8, tzinfo=UTC), "deploy", "version 2 is live, verified"),
            Event(datetime(2013, 5, 2, tzinfo=UTC), "alarm", "temp > 0.25 & rising"),
        ],
        versions=[{"version": 1, "auc": 0.7, "trained_on": ["2013-01", "2013-03"], "started_by": "new-data"}],
        deploys=[{"version": 1, "verified": True}, {"version": 2, "verified": True}],
        drift=[window(3, None), window(4, 3.72), window(5, 8.84)],
        auc_with={"2013-04": 0.655, "2013-05": 0.66},
        auc_without={"2013-04": 0.655, "2013-05": 0.666},
    )


def said(svg):
    """What stands in a picture: matplotlib says each text in a comment beside its outlines."""
    return [text.strip() for text in re.findall(r"<!-- (.*?) -->", svg)]


def test_quality_says_which_version_answered_in_which_month(record):
    texts = said(pictures.quality(record))
    assert {"2013-04", "2013-05", "0.655", "0.660", "version 1", "version 2"} <= set(texts)


def test_a_window_without_rows_enough_is_no_column_of_the_drift_picture(record):
    texts = said(pictures.drift(record))
    assert "2013-03" not in texts
    assert {"2013-04", "2013-05", "temp", "prediction", "3.72", "8.84"} <= set(texts)


def test_a_run_in_which_no_window_could_be_compared_still_has_a_report(record, tmp_path):
    record.drift = [window(3, None)]
    report.write(record, tmp_path / "report.html")
    assert "No window had rows enough" in (tmp_path / "report.html").read_text()


def test_the_report_opens_offline_and_escapes_what_was_said(record, tmp_path):
    report.write(record, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "temp &gt; 0.25 &amp; rising" in page
    assert not re.findall(r"""(?:src|href)=["']?https?:""", page)
    assert page.count("<svg") == 3
