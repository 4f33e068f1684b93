"""Which versions are approved without a person: those that pass every gate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.governor.gates import Registered, objection, praise
from tests.unit.monitoring.governing import AUTO_APPROVAL, REGISTERED

LOSS = replace(AUTO_APPROVAL, metric="log_loss", higher_is_better=False, limit=0.5)
PLAIN = (AUTO_APPROVAL, None, ())
SCORES = st.floats(0, 1)


def test_a_version_that_passes_all_is_praised_with_the_figures():
    assert objection(REGISTERED, AUTO_APPROVAL, None, ()) is None
    assert praise(REGISTERED, AUTO_APPROVAL) == (
        "auc 0.7200 (at least 0.7 asked), against the live model's 0.7100 (0.01 better asked); started by drift"
    )


@pytest.mark.parametrize(
    ("version", "given", "why"),
    [
        ({}, (AUTO_APPROVAL, "labels are wrong (ada)", ()), "on hold: labels are wrong (ada)"),
        ({"started_by": "person"}, PLAIN, "started by person; without a person only what drift started"),
        ({"value": 0.6999}, PLAIN, "auc is 0.6999, at least 0.7 needed"),
        ({"champion": None}, PLAIN, "there was no live model to compare it with"),
        ({"champion": 0.711}, PLAIN, "auc 0.7200 does not beat the live model's 0.7110 by 0.01"),
        ({}, (AUTO_APPROVAL, None, ("1", "2")), "2 approved without a person this month already, 2 allowed"),
        ({"value": 0.51, "champion": 0.6}, (LOSS, None, ()), "log_loss is 0.5100, at most 0.5 needed"),
        (
            {"value": 0.5, "champion": 0.505},
            (LOSS, None, ()),
            "log_loss 0.5000 does not beat the live model's 0.5050 by 0.01",
        ),
    ],
)
def test_the_first_gate_that_it_does_not_pass_is_the_reason(version, given, why):
    assert objection(replace(REGISTERED, **version), *given) == why


def test_where_lower_is_better_less_passes():
    assert objection(replace(REGISTERED, value=0.45, champion=0.46), LOSS, None, ()) is None


@given(SCORES, SCORES, SCORES, st.booleans())
def test_a_better_version_is_never_held_back_where_a_worse_one_passes(one, other, champion, higher):
    gates = replace(AUTO_APPROVAL, higher_is_better=higher, limit=0.5, champion_margin=0.1)
    better, worse = sorted([one, other], reverse=higher)

    def passes(value):
        return objection(Registered("1", "drift", value, champion), gates, None, ()) is None

    assert passes(better) or not passes(worse)
