"""A life's chapters: each takes the one before, lives on from there, and gives what was seen on the way."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from infra.demo.leftovers import leftovers
from tests.flow.life import MODEL, SETTINGS, STACKS, Life, begun

PLATFORM, STACK = STACKS


@pytest.fixture(scope="module")
def life(new_project):
    """A project of one model whose local cloud is down at first and in the end."""
    life = begun(Life, new_project(), SETTINGS)
    yield life
    life.must("local", "down")


@pytest.fixture(scope="module")
def provisioned(life):
    """The local cloud is up, and both stacks are deployed."""
    life.must("local", "up", "--begin", "2020-03-01")
    life.deploy(PLATFORM, STACK)
    return SimpleNamespace(endpoints=life.client("sagemaker").list_endpoints()["Endpoints"])


@pytest.fixture(scope="module")
def trained(life, provisioned):
    """Two months of labelled data arrive, one after the other."""
    assert provisioned.endpoints == []
    after_each = []
    for month in (1, 2):
        life.upload(month)
        after_each.append(life.registered())
    return SimpleNamespace(
        versions_after_each_month=after_each, decisions=life.decisions(), listed=life.must("models", MODEL)
    )


@pytest.fixture(scope="module")
def released(life, trained):
    """The first version is approved, promoted, deployed and verified, and asked."""
    assert trained.versions_after_each_month[-1] == [1]
    life.approve(1)
    return SimpleNamespace(verified=life.release(1), configuration=life.live_configuration(), scores=life.ask(600))


@pytest.fixture(scope="module")
def drifted(life, released):
    """A day has passed; the customers were older than those that the model has learnt from."""
    assert len(released.scores) == 600
    life.cloud.advance(datetime(2020, 3, 2, 8, tzinfo=UTC))
    captured = life.objects("capture", f"{MODEL}/{life.names.base}/main/2020/03/01/")
    alarms = [f"{life.names.base}-drift-{what}" for what in ("features", "prediction")]
    return SimpleNamespace(
        captured=[json.loads(line) for text in captured for line in text.splitlines()],
        report=life.cloud.drift_reports(life.names)[-1],
        page=life.cloud.drift_page(life.names).decode(),
        alarms=[name.removeprefix(f"{life.names.base}-") for name, _, _ in life.cloud.alarms_raised(alarms)],
        decisions=[decision for decision in life.decisions() if decision["started_by"] == "drift"],
        versions=life.registered(),
    )


@pytest.fixture(scope="module")
def judged(life, drifted):
    """Before the labels' day is over nothing is known; then it has passed, and they have come."""
    assert drifted.versions
    alarm = f"{life.names.base}-quality"
    before = life.quality_reports()[-1], life.cloud.alarms_raised([alarm])
    life.tell_who_left(600, hour="2020/03/02/20")
    life.cloud.advance(datetime(2020, 3, 3, 8, tzinfo=UTC))
    return SimpleNamespace(
        before=before,
        report=life.quality_reports()[-1],
        raised=life.cloud.alarms_raised([alarm]),
        decisions=[decision for decision in life.decisions() if decision["started_by"] == "quality"],
        versions=life.registered(),
    )


@pytest.fixture(scope="module")
def broken(life, judged):
    """Somebody moves the endpoint to a configuration of their own, by hand."""
    assert judged.report
    sagemaker = life.client("sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=life.live_configuration())["ProductionVariants"]
    sagemaker.create_endpoint_config(EndpointConfigName="by-hand", ProductionVariants=variants)
    sagemaker.update_endpoint(EndpointName=life.names.base, EndpointConfigName="by-hand", RetainDeploymentConfig=True)
    life.in_service()
    return SimpleNamespace(verified=life.sagestack("verify", MODEL, "--by", "ada"))


@pytest.fixture(scope="module")
def released_again(life, broken, released):
    """The version that drift asked for is released, with a cap on costs; the last good configuration is still there."""
    assert broken.verified[0] == 1
    life.cap_costs(0.05)
    verified = life.release(2)
    life.client("sagemaker").delete_endpoint_config(EndpointConfigName="by-hand")
    return SimpleNamespace(
        verified=verified,
        before=released.configuration,
        live=life.live_configuration(),
        configurations=life.configurations(),
        changes={stack: life.changes(stack) for stack in (PLATFORM, STACK)},
    )


@pytest.fixture(scope="module")
def refused(life, released_again):
    """A person asks for a run, and the month's costs are used up."""
    assert released_again.live
    life.must("retrain", MODEL, "--why", "a new feature", "--by", "ada")
    life.cloud.settle()
    return SimpleNamespace(
        decision=life.decisions()[-1], approvals=life.approvals(), told=life.must("retraining", MODEL, "--json")
    )


@pytest.fixture(scope="module")
def rolled_back(life, refused):
    """The second version disappoints, and somebody else is deploying when it is to be rolled back; then nobody is."""
    assert refused.decision
    with life.somebody_else_deploying(STACK):
        contended = life.sagestack("rollback", MODEL, "--by", "grace", TF_CLI_ARGS_apply="-lock-timeout=1s")
    before = life.live_configuration()
    return SimpleNamespace(
        contended=contended,
        configuration_after_contention=before,
        finished=life.sagestack("rollback", MODEL, "--by", "grace"),
        live=life.live_configuration(),
        configurations=life.configurations(),
        changes=life.changes(STACK),
        receipts=life.must("receipts", MODEL),
    )


@pytest.fixture(scope="module")
def looked_back_on(life, rolled_back):
    """What roles and services did all this time, and what the roles may do."""
    assert rolled_back.live
    calls = life.calls()
    used = {role: {call.action for call in calls if call.role == role} for role in {call.role for call in calls}}
    return SimpleNamespace(calls=calls, used=used, allowed=life.allowed())


@pytest.fixture(scope="module")
def gone(life, looked_back_on):
    """Its versions are retired, and everything is destroyed."""
    assert looked_back_on.calls
    retired = life.must("retire", MODEL)
    life.cdktf("destroy", STACK, PLATFORM, "--auto-approve")
    return SimpleNamespace(retired=retired, left=leftovers(life.environment), verified=life.sagestack("verify", MODEL))
