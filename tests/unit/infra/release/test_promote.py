import json
import subprocess
from datetime import UTC, datetime

import pytest

from infra.config import CaptureConfig, RealTimeEndpointConfig, Release, ReleaseLock, ScalingConfig
from infra.errors import UserError
from infra.release import promote
from infra.release.promote import commit_of, gone_back, promoted, write_lock
from infra.release.registry import Version

AT = datetime(2013, 4, 1, 2, tzinfo=UTC)
SETTINGS = RealTimeEndpointConfig()
LARGER = RealTimeEndpointConfig(instance_type="ml.m5.xlarge")


def version(number, **changes):
    """A registered version as the registry tells it."""
    properties = {
        "baseline_uri": f"s3://registry/run-{number}/baseline",
        "evaluation_uri": f"s3://registry/run-{number}/evaluation.json",
        "trained_on": "2013-01 2013-02",
        "data_fingerprint": "sha256:0",
        "started_by": "drift",
        "auc": "0.71",
    }
    fields = {
        "number": number,
        "arn": f"arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/{number}",
        "approval": "Approved",
        "approved_by": "ada",
        "image": "registry/serving:1",
        "model_data_url": f"s3://registry/run-{number}/model.tar.gz",
        "properties": properties,
    }
    return Version(**fields | changes)


def promotion(number, lock=None, settings=SETTINGS, **changes):
    return promoted(version(number, **changes), lock, settings, model="churn", by="grace", at=AT, commit="c0ffee")


def test_the_first_promotion_names_the_version_and_nothing_before_it():
    lock = promotion(1)
    assert (lock.model, lock.current.version, lock.previous) == ("churn", 1, None)


def test_a_release_carries_where_it_came_from_and_who_let_it_through():
    release = promotion(1).current
    assert release == Release(
        version=1,
        model_package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1",
        model_data_url="s3://registry/run-1/model.tar.gz",
        image="registry/serving:1",
        baseline_uri="s3://registry/run-1/baseline",
        evaluation_uri="s3://registry/run-1/evaluation.json",
        metrics={"auc": 0.71},
        trained_on="2013-01 2013-02",
        data_fingerprint="sha256:0",
        started_by="drift",
        approved_by="ada",
        promoted_by="grace",
        promoted_at=AT,
        commit="c0ffee",
        endpoint=SETTINGS,
    )


def test_a_promotion_despite_raised_alarms_says_so_until_the_next():
    despite = {"model": "churn", "by": "grace", "at": AT, "commit": "c0ffee", "despite_alarms": True}
    first = promoted(version(1), None, SETTINGS, **despite)
    assert first.despite_alarms
    assert promoted(version(1), first, SETTINGS, **despite) == first
    assert not promotion(1, first).despite_alarms
    assert not promotion(2, first).despite_alarms


def test_what_was_current_becomes_previous():
    first = promotion(1)
    second = promotion(2, first)
    assert (second.current.version, second.previous) == (2, first.current)


def versions(lock):
    return [release.version for release in (lock.current, lock.previous) if release]


def test_only_two_releases_are_kept():
    assert versions(promotion(3, promotion(2, promotion(1)))) == [3, 2]


def test_promoting_what_is_current_changes_nothing():
    lock = promotion(2, promotion(1))
    assert promotion(2, lock, approved_by="somebody else") == lock


def test_promoting_with_other_settings_keeps_the_release_as_it_was_deployed_to_go_back_to():
    first = promotion(1)
    lock = promotion(1, first, LARGER)
    assert (versions(lock), lock.current.endpoint, lock.previous) == ([1, 1], LARGER, first.current)


@pytest.mark.parametrize(
    "settings",
    [
        RealTimeEndpointConfig(scaling=ScalingConfig(max=9)),
        RealTimeEndpointConfig(decision_threshold=0.4),
    ],
)
def test_settings_that_are_no_part_of_the_configuration_leave_what_to_go_back_to_as_it_is(settings):
    lock = promotion(2, promotion(1))
    after = promotion(2, lock, settings)
    assert (after.current.endpoint, after.previous) == (settings, lock.previous)


@pytest.mark.parametrize(
    "settings",
    [
        RealTimeEndpointConfig(scaling=ScalingConfig(initial=2)),
        RealTimeEndpointConfig(capture=CaptureConfig(percent=5)),
    ],
)
def test_settings_that_are_part_of_the_configuration_make_it_another_one(settings):
    lock = promotion(2, promotion(1))
    assert promotion(2, lock, settings).previous == lock.current


def test_a_lock_from_before_settings_were_kept_gets_them_and_keeps_what_was_before():
    lock = promotion(2, promotion(1))
    old = lock.model_copy(update={"current": lock.current.model_copy(update={"endpoint": None})})
    assert promotion(2, old) == lock


def test_going_back_restores_the_release_before_with_its_settings():
    back = gone_back(promotion(2, promotion(1), LARGER), "churn")
    assert (versions(back), back.settings(LARGER)) == ([1, 2], SETTINGS)


def test_going_back_twice_is_not_going_forward():
    back = gone_back(promotion(2, promotion(1)), "churn")
    assert gone_back(back, "churn") == back
    later = promotion(3, back)
    assert versions(gone_back(later, "churn")) == [1, 3]


def test_after_a_promotion_the_files_settings_hold_again():
    back = gone_back(promotion(2, promotion(1)), "churn")
    for number in (1, 2):
        after = promotion(number, back, LARGER)
        assert (after.rolled_back, after.settings(LARGER)) == (False, LARGER)
    assert not promotion(1, back).rolled_back


def test_there_is_no_going_back_from_the_first_release():
    with pytest.raises(UserError, match="churn version 1 is the first release: there is none before it"):
        gone_back(promotion(1), "churn")


def test_what_is_declared_begins_with_what_is_to_be_live_and_has_each_release_as_it_was_deployed():
    lock = promotion(2, promotion(1))
    now = RealTimeEndpointConfig(capture=CaptureConfig(percent=7))
    declared = [(release.version, settings) for release, settings in lock.declared(now)]
    assert declared == [(2, now), (2, SETTINGS), (1, SETTINGS)]


@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_a_version_that_nobody_approved_is_refused_with_the_command_that_does(approval):
    with pytest.raises(UserError, match=f"^churn version 4 is {approval}: sagestack approve churn 4 first$") as caught:
        promotion(4, approval=approval)
    assert caught.value.exit_code == 2


def test_a_version_that_the_pipeline_did_not_register_is_refused_with_what_it_lacks():
    properties = {"trained_on": "2013-01", "started_by": "person", "data_fingerprint": "sha256:0"}
    with pytest.raises(UserError, match=r"version 1 was not registered by its pipeline: it lacks baseline_uri, eval"):
        promotion(1, properties=properties)


def test_only_metrics_of_the_registry_count_as_metrics():
    properties = version(1).properties | {"log_loss": "0.5", "note": "not a number", "execution_id": "abc"}
    assert promotion(1, properties=properties).current.metrics == {"auc": 0.71, "log_loss": 0.5}


def test_what_is_written_is_what_is_read(tmp_path):
    lock = promotion(2, promotion(1))
    path = tmp_path / "releases/churn.json"
    write_lock(lock, path)
    assert ReleaseLock.model_validate(json.loads(path.read_text())) == lock
    assert path.read_text().endswith("}\n")
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_is_cut_short_leaves_the_lock_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "churn.json"
    write_lock(promotion(1), path)
    before = path.read_text()
    write_text = type(path).write_text

    def cut_short(self, text, **options):
        write_text(self, text[: len(text) // 2], **options)
        raise OSError("no space left on device")

    monkeypatch.setattr(type(path), "write_text", cut_short)
    with pytest.raises(OSError, match="no space"):
        write_lock(promotion(2, promotion(1)), path)
    assert path.read_text() == before


def git(folder, *arguments):
    command = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_the_one_that_the_project_stands_at(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    assert commit_of(tmp_path) == git(tmp_path, "rev-parse", "HEAD")


def test_a_project_without_a_commit_is_unversioned(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == "unversioned"
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) == "unversioned"
    monkeypatch.setattr(promote.shutil, "which", lambda _: None)
    assert commit_of(tmp_path) == "unversioned"
