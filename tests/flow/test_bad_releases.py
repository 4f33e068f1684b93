"""Releases that fail, under load: SageMaker takes them back, `verify` says so, callers hardly notice.

A good one after them is killed in mid-update and gone back from later, while the alarm that it has raised is raised.

A chapter is a fixture, as in a model's life. Callers never stop asking; a canary answers a tenth of them.
"""

from types import SimpleNamespace

import pytest

from tests.flow.life import MODEL, SAGESTACK
from tests.flow.staging import CANARY, KILLED, NOTHING, staged

pytestmark = pytest.mark.local_cloud
PLATFORM, STACK = "local-platform", f"local-{MODEL}"
CALLERS, CANARYS_SHARE = 6, 0.1
MANY_CALLERS, THEIR_BREATH_SECONDS = 20, 0.17
"""They ask as often together, but so many that some wait for the slow one in every minute: a minute of a bake is half a
second of the machine's."""
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
    for version in ({"trusting": True}, {"error": 500}, {"seconds": 1.2}, {"healthy": False}, {}):
        staging.register(f"v{len(staging.registered()) + 1}", **version)
    code, _, err = staging.promoted(1)
    assert code == 0, err
    return staging.live_configuration()


def deployed(staging, version, *callers):
    """Promote and deploy a version while callers ask: what was said, and what they were answered."""
    staging.calm()
    with staging.callers(*callers or (CALLERS,)) as answers:
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
    return deployed(staging, 3, MANY_CALLERS, THEIR_BREATH_SECONDS)


@pytest.fixture(scope="module")
def unhealthy(staging, slow):
    """The next, which never becomes healthy, is refused at first: what is live would not stay declared."""
    assert slow.said
    refused = staging.promoted(4)
    staging.must("promote", MODEL, "1")
    return SimpleNamespace(refused=refused, bad=deployed(staging, 4))


@pytest.fixture(scope="module")
def good(staging, unhealthy):
    """A good version is released at last; its deploy is killed while the endpoint changes, and begun again."""
    assert unhealthy.bad.said
    for version in ("1", "5"):
        staging.must("promote", MODEL, version)
    staging.calm()
    with staging.callers(CALLERS) as answers:
        exit_ = staging.killed(SAGESTACK, "deploy", MODEL, when=("aws_sagemaker_endpoint.", "Modifying"))
        said = staging.sagestack("deploy", MODEL)
    live, left = staging.live_configuration(), staging.left(STACK)
    return SimpleNamespace(exit=exit_, said=said, answers=answers, live=live, left=left)


@pytest.fixture(scope="module")
def mended(staging, good):
    """Later, callers ask what that version answers with 500, and the one before it does not: it is gone back from.

    The rollback is killed when Terraform has ended and nothing is verified yet, and asked for again.
    """
    assert good.said
    staging.calm()
    with staging.callers(CALLERS, body=b"error 500") as answers:
        staging.alarmed()
        staging.must("promote", MODEL, "1")
        refused = staging.sagestack("preflight", MODEL)
        staging.must("promote", MODEL, "5")
        exit_ = staging.killed(SAGESTACK, "rollback", MODEL, when=("Apply complete",))
        lock = staging.lock()
        said = staging.sagestack("rollback", MODEL)
    live, left = staging.live_configuration(), staging.left(STACK)
    return SimpleNamespace(refused=refused, exit=exit_, lock=lock, said=said, answers=answers, live=live, left=left)


def assert_was_taken_back(deploy, live):
    code, _, err = deploy.said
    assert code == 1
    assert f"{MODEL} in local is not as declared:\n  endpoint configuration: declared flow-local-{MODEL}-" in err
    assert f", live {live}\n" in err
    assert f"then declare it again: sagestack rollback {MODEL} --env local" in err
    assert "Traceback" not in err
    assert deploy.live == live


def assert_only_the_canarys_share_was(bad, answers, callers=CALLERS):
    """The canary answers every tenth request; with several callers, a few more may end in between."""
    assert set(answers) == {"v1", bad}
    when = [number for number, answer in enumerate(answers) if answer == bad]
    assert len(when) <= CANARYS_SHARE * (when[-1] - when[0] + 1) + callers


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
    assert_was_taken_back(slow, live)
    assert_only_the_canarys_share_was("v3", slow.answers, MANY_CALLERS)
    assert f"failure: declared none, live {ALARMED.format('latency')}" in slow.said[2]


def test_a_version_that_never_becomes_healthy_is_taken_back_and_no_caller_notices(unhealthy, live):
    assert_was_taken_back(unhealthy.bad, live)
    assert set(unhealthy.bad.answers) == {"v1"}
    assert "did not pass the ping health check" in unhealthy.bad.said[2]


def test_a_release_upon_one_that_was_taken_back_is_refused_until_what_is_live_is_declared(unhealthy):
    code, _, err = unhealthy.refused
    assert code == 1
    assert "nothing was changed" in err
    assert f"It is version 1; what was promoted since was taken back: sagestack promote {MODEL} 1" in err


def test_a_good_release_killed_in_mid_update_is_finished_by_the_next_deploy_and_no_request_of_thousands_fails(
    good, live
):
    code, out, err = good.said
    assert (good.exit, code, err) == (KILLED, 0, "")
    assert f"flow-local-{MODEL} is Updating: waiting for the end of that" in out
    assert good.live != live
    assert good.left == NOTHING
    assert set(good.answers) == {"v1", "v5"}
    assert len(good.answers) > 1_000


def test_a_release_is_refused_while_an_alarm_is_raised_that_would_take_it_back(mended):
    code, _, err = mended.refused
    assert code == 1
    assert f"raised already: flow-local-{MODEL}-errors (since " in err
    assert err.endswith(f"sagestack promote {MODEL} 1 --env local --despite-alarms\n")


def test_a_rollback_goes_on_though_what_it_goes_back_from_has_raised_the_alarm(mended, live):
    assert mended.live == live
    assert (mended.lock["current"]["version"], mended.lock["despite_alarms"]) == (1, True)
    assert set(mended.answers) == {MODEL_ERROR, "v1"}
    assert mended.answers[-1] == "v1"


def test_a_rollback_killed_before_it_is_verified_is_finished_by_the_next_and_goes_no_further_back(mended):
    code, out, err = mended.said
    assert (mended.exit, code, err) == (KILLED, 0, "")
    assert f"{MODEL} is back at version 1" in out
    assert f"{MODEL} in local is live as declared: {mended.live}" in out
    assert mended.left == NOTHING
