"""The drift report for people: drawn, complete, safe to open, and silent in a real browser."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from infra.demo import flights
from monitoring.bins import CategoricalBins
from monitoring.capture import Tally
from monitoring.page import page
from monitoring.profile import Distribution, Profile
from monitoring.report import Comparison, Findings, compare
from monitoring.spec import DriftSpec
from monitoring.window import Window
from tests.unit.monitoring.conftest import DRIFT_SPEC

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WINDOW = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC))
VOID = {"meta", "link", "line", "rect"}


class Balanced(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def spec(**change):
    return DriftSpec.from_json(json.dumps(DRIFT_SPEC | change))


@pytest.fixture(scope="session")
def july(baseline):
    rows = flights.month(7)[:3000]
    scores = pl.Series("score", np.linspace(0, 1, len(rows)))
    return Profile.of(baseline.bins, baseline.profile.prediction.bins, rows, scores)


@pytest.fixture(scope="session")
def written(baseline, july):
    tally = Tally(files=2, read=31, rows=3000)
    tally.reasons["the line is not a capture record"] = 1
    return page(spec(), WINDOW, tally.to_json(), compare(baseline.profile, july, spec()))


def test_every_feature_has_its_bar_and_the_worst_and_the_prediction_their_distributions(written, baseline):
    bars, *panels = re.findall(r"<svg.*?</svg>", written, re.DOTALL)
    assert all(f">{one.name}<" in bars for one in baseline.bins)
    assert bars.index(">temp<") < bars.index(">carrier<")
    assert len(panels) == 7
    assert '<h3 class="drift">temp ' in written
    assert ">prediction " in written


def test_records_refused_are_told_with_their_reason(written):
    assert "<td>refused: the line is not a capture record</td><td>1</td>" in written


def test_it_is_one_file_that_loads_nothing(written):
    parser = Balanced()
    parser.feed(written)
    assert parser.open == []
    assert parser.addresses == ["data:,"]
    assert "<script" not in written


def test_too_few_rows_are_told_without_a_picture(baseline):
    nothing = Profile.empty(baseline.bins, baseline.profile.prediction.bins)
    text = page(spec(), WINDOW, Tally().to_json(), compare(baseline.profile, nothing, spec()))
    assert "not enough data: 0 rows in the window, 500 needed" in text
    assert "<svg" not in text


def test_a_category_cannot_write_into_the_page():
    bins = CategoricalBins("<b>", ("<script>alert(1)</script>",), ())
    column = Distribution(bins, np.array([5, 0, 0, 0]))
    text = page(spec(), WINDOW, Tally().to_json(), Findings((Comparison(column, column, 0.0, 0.25),), None, 5))
    assert "<script" not in text
    assert "<b>" not in text


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to open the page in")
def test_a_real_browser_draws_it_and_has_nothing_to_complain_of(written, tmp_path):
    file, picture = tmp_path / "report.html", tmp_path / "report.png"
    file.write_text(written)
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1000,1600"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", file.as_uri()]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    assert picture.stat().st_size > 30_000
