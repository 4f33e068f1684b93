"""Releases that fail, deployed under load: SageMaker takes them back, `verify` says so, callers hardly notice.

A chapter is a fixture, as in a model's life. Callers never stop asking; a canary answers a tenth of them.
"""

from types import SimpleNamespace

import pytest

from tests.flow.conftest import MODEL
from tests.flow.staging import CANARY, staged

pytestmark = pytest.mark.local_cloud
PLATFORM, STACK = "local-platform", f"local-{MODEL}"
CALLERS, CANARYS_SHARE = 6, 0.1
MODEL_ERROR = 424
"""What callers get for a container's 500."""
PATIENT = CANARY.replace("percent: 10", "percent: 10, bake_seconds: 900").replace(
    "scaling:", "alarms: {max_latency_ms: 700}\n  scaling:"
)
"""Slow answers fill three minutes before the bake is over, though 120 of its seconds pass in one."""
ALARMED = f"Auto-rollback: the CloudWatch alarm flow-local-{MODEL}-{{}} went into the ALARM state"


@pytest.fixture(scope="module")
def staging(new_project):
    with staged(new_project(), PATIENT) as staging:
        yield staging


@pytest.fixture(scope="module")
def live(staging):
    """A good version is live; others are registered, three of which are bad."""
    staging.deploy(PLATFORM, STACK)
    for version in ({}, {"error": 500}, {"seconds": 1.2}, {"healthy": False}, {}):
        staging.register(f"v{len(staging.registered()) + 1}", **version)
    code, _, err = staging.promoted(1)
    assert code == 0, err
    return staging.live_configuration()


def deployed(staging, version):
    """Promote and deploy a version while callers ask: what was said, and what they were answered."""
    staging.calm()
    with staging.callers(CALLERS) as answers:
        said = staging.promoted(version)
    return SimpleNamespace(said=said, answers=answers, live=staging.live_configuration())


@pytest.fixture(scope="module")
def wrong(staging, live):
    """A version that answers 500 is deployed, and then rolled back."""
    assert live
    bad = deployed(staging, 2)
    return SimpleNamespace(bad=bad, rollback=staging.sagestack("rollback", MODEL), changes=staging.changes(STACK))


@pytest.fixture(scope="module")
def slow(staging, wrong):
    """A version that is slow is deployed."""
    assert wrong.rollback
    return deployed(staging, 3)


@pytest.fixture(scope="module")
def unhealthy(staging, slow):
    """The next, which never becomes healthy, is refused at first: what is live would not stay declared."""
    assert slow.said
    refused = staging.promoted(4)
    staging.must("promote", MODEL, "1")
    return SimpleNamespace(refused=refused, bad=deployed(staging, 4))


@pytest.fixture(scope="module")
def good(staging, unhealthy):
    """A good version is released at last."""
    assert unhealthy.bad.said
    staging.must("promote", MODEL, "1")
    return deployed(staging, 5)


def assert_was_taken_back(deploy, live):
    code, _, err = deploy.said
    assert code == 1
    assert f"{MODEL} in local is not as declared:\n  endpoint configuration: declared flow-local-{MODEL}-" in err
    assert f", live {live}\n" in err
    assert f"then declare it again: sagestack rollback {MODEL} --env local" in err
    assert "Traceback" not in err
    assert deploy.live == live


def assert_only_the_canarys_share_was(bad, answers):
    """The canary answers every tenth request; with several callers, a few more may end in between."""
    assert set(answers) == {"v1", bad}
    when = [number for number, answer in enumerate(answers) if answer == bad]
    assert len(when) <= CANARYS_SHARE * (when[-1] - when[0] + 1) + CALLERS


def test_a_version_that_answers_500_is_taken_back_and_costs_no_more_than_the_canarys_share(wrong, live):
    assert_was_taken_back(wrong.bad, live)
    assert_only_the_canarys_share_was(MODEL_ERROR, wrong.bad.answers)
    assert f"failure: declared none, live {ALARMED.format('errors')}" in wrong.bad.said[2]


def test_a_rollback_then_declares_what_is_live_and_leaves_nothing_to_change(wrong):
    code, out, err = wrong.rollback
    assert (code, err) == (0, "")
    assert f"{MODEL} is back at version 1" in out
    assert f"{MODEL} in local is live as declared" in out
    assert wrong.changes == ""


def test_a_version_that_is_slow_is_taken_back_and_costs_no_more_than_the_canarys_share(slow, live):
    code, out, err = slow.said
    assert (code, slow.live) == (1, live), out + err  # the provider may see it taken back and fail, or not and go on
    assert "is not as declared" in err, out + err
    assert "Traceback" not in err
    assert set(slow.answers) <= {"v1", "v3"}  # whether the canary has answered by then is the alarm's moment
    assert slow.answers.count("v3") <= CANARYS_SHARE * len(slow.answers) + CALLERS


def test_a_version_that_never_becomes_healthy_is_taken_back_and_no_caller_notices(unhealthy, live):
    assert_was_taken_back(unhealthy.bad, live)
    assert set(unhealthy.bad.answers) == {"v1"}
    assert "did not pass the ping health check" in unhealthy.bad.said[2]


def test_a_release_upon_one_that_was_taken_back_is_refused_until_what_is_live_is_declared(unhealthy):
    code, _, err = unhealthy.refused
    assert code == 1
    assert "nothing was changed" in err
    assert f"It is version 1; what was promoted since was taken back: sagestack promote {MODEL} 1" in err


def test_the_next_good_release_replaces_what_is_live_and_no_request_of_thousands_fails(good, live):
    code, _, err = good.said
    assert (code, err) == (0, "")
    assert good.live != live
    assert set(good.answers) == {"v1", "v5"}
    assert len(good.answers) > 1_000
