"""The drift report for people: drawn, complete, safe to open, and silent in a real browser."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from matplotlib import image

from infra.demo import flights
from monitoring.bins import CategoricalBins
from monitoring.capture import Tally
from monitoring.explanations.explained import Sampler, attribution
from monitoring.fairness.bias import bias
from monitoring.history import History
from monitoring.page.document import page
from monitoring.page.pictures.svg import BASELINE_COLOUR, DRIFT_COLOUR, WINDOW_COLOUR
from monitoring.profile import Distribution, Profile
from monitoring.report import Comparison, Findings, compare
from monitoring.scoring import matrix
from monitoring.spec import DriftSpec
from monitoring.window import Window
from tests.unit.monitoring.conftest import DRIFT_SPEC
from tests.unit.monitoring.test_history import drift, quality

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("SAGESTACK_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
"""Named by the variable, it must be there: so CI cannot skip what it means to run."""
WINDOW = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC))
VOID = {"meta", "link"}


class Balanced(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """Closed where it is opened."""

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


def a_report(month, ratio):
    return drift(month, ratio, features=[{"name": "temp", "value": ratio / 4, "threshold": 0.25}])


HISTORY = History(
    (a_report(4, 0.2), a_report(5, 1.5), a_report(6, 8.0)),
    (quality(4, 0.7), quality(5, 0.6, "worse"), quality(6, None, "not-enough-labels")),
)


@pytest.fixture(scope="session")
def written(baseline, july, predictor):
    """A page with everything on it."""
    tally = Tally(files=2, read=31, rows=3000)
    tally.reasons["the line is not a capture record"] = 1
    rows, known = flights.month(7)[:3000], baseline.decided.of(["origin"])
    decisions = known.count({"origin": known.columns[0].places(rows["origin"])}, np.linspace(0, 1, len(rows)))
    sampler = Sampler(predictor, 100)
    findings = replace(
        compare(baseline, july, spec()),
        bias=bias(known, decisions, 30),
        explanations=sampler.explain(
            sampler.take(rows), attribution(predictor, matrix(rows[:100], predictor.signature))
        ),
    )
    of_version = spec(baseline_model_version=2)
    return page(of_version, WINDOW, tally.to_json(), findings, history=HISTORY)


def test_what_moved_stands_first_each_feature_in_a_row_and_the_worst_with_their_distributions(written, baseline):
    moved, went, *others = re.findall(r"<svg.*?</svg>", written, re.DOTALL)
    panels, (groups, contributions) = others[:-2], others[-2:]
    assert all(f">{one.name}<" in moved for one in baseline.bins)
    assert moved.index(">temp<") < moved.index(">carrier<")
    assert ">prediction<" in moved
    assert len(panels) == 7
    assert '<h3 class="drift">temp ' in written
    assert all(f">{airport}<" in groups for airport in ("EWR", "JFK", "LGA"))
    assert all(f">{one.name}<" in contributions for one in baseline.bins)
    assert ">limit 0.65<" in went


def test_it_says_since_when_a_feature_drifts_and_how_quality_went(written):
    moved, went, *_ = re.findall(r"<svg.*?</svg>", written, re.DOTALL)
    assert ">since May 2013<" in moved
    assert "temp, Jun 2013: 8.00 of its threshold" in moved
    assert "May 2013: auc 0.6 (0.59 to 0.61)" in went
    assert "Jun 2013: auc estimated 0.7" in went


def test_records_refused_are_told_with_their_reason(written):
    assert '<td>refused: the line is not a capture record</td><td class="number">1</td>' in written


def test_it_is_one_file_that_loads_nothing(written):
    parser = Balanced()
    parser.feed(written)
    assert parser.open == []
    assert parser.addresses == ["data:,"]
    assert "<script" not in written


def test_too_few_rows_are_told_without_a_picture(baseline):
    nothing = Profile.empty(baseline.bins, baseline.profile.prediction.bins)
    text = page(spec(), WINDOW, Tally().to_json(), compare(baseline, nothing, spec()), history=History())
    assert "not enough data: 0 rows in the window, 500 needed" in text
    assert "<svg" not in text


def test_a_category_cannot_write_into_the_page():
    bins = CategoricalBins("<u>", ("<script>alert(1)</script>",), ())
    column = Distribution(bins, np.array([5, 0, 0, 0]))
    text = page(
        spec(),
        WINDOW,
        Tally().to_json(),
        Findings((Comparison(column, column, 0.0, 0.25),), None, 5),
        history=History(),
    )
    assert "<script" not in text
    assert "<u>" not in text


@pytest.fixture(scope="module")
def opened(written, tmp_path_factory):
    """What a real browser said of the page, and its picture as (rows, columns, colours) from 0 to 1."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium to open the page in: install it, or name one in SAGESTACK_BROWSER")
    folder = tmp_path_factory.mktemp("browser")
    file, picture = folder / "report.html", folder / "report.png"
    file.write_text(written)
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1000,3000"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture}", file.as_uri()]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120, check=True)
    return done.stderr, image.imread(picture)[:, :, :3]


def test_a_real_browser_has_nothing_to_complain_of(opened):
    assert "CONSOLE" not in opened[0]


def test_a_real_browser_draws_bars_squares_lines_and_groups_from_top_to_bottom(opened):
    """Each colour's pixels, and how far down the page they reach."""
    _, picture = opened

    def rows_of(colour):
        wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
        return np.flatnonzero((np.abs(picture - wanted).max(axis=2) < 0.01).sum(axis=1) > 3)

    moved, window, training = (rows_of(colour) for colour in (DRIFT_COLOUR, WINDOW_COLOUR, BASELINE_COLOUR))
    assert len(moved) > 100  # the bars of what drifted, the threshold, the limit
    assert window.max() - window.min() > 1000  # bars, the quality's line, distributions, groups, contributions
    assert training.max() - training.min() > 500
    assert rows_of("#a61e1e").size >= 10  # the darkest square: eight thresholds, in June
