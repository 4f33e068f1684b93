import json
import subprocess
from datetime import UTC, datetime

import pytest

from infra.config import Release, ReleaseLock
from infra.errors import UserError
from infra.release import promote
from infra.release.promote import commit_of, promoted, write_lock
from infra.release.registry import Version

AT = datetime(2013, 4, 1, 2, tzinfo=UTC)


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


def promotion(number, lock=None, **changes):
    return promoted(version(number, **changes), lock, model="churn", by="grace", at=AT, commit="c0ffee")


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
    )


def test_what_was_current_becomes_previous():
    first = promotion(1)
    second = promotion(2, first)
    assert (second.current.version, second.previous) == (2, first.current)


def test_only_two_releases_are_kept():
    lock = promotion(3, promotion(2, promotion(1)))
    assert [release.version for release in lock.releases] == [3, 2]


def test_promoting_what_is_current_changes_nothing():
    lock = promotion(2, promotion(1))
    assert promotion(2, lock, approved_by="somebody else") is lock


def test_promoting_the_previous_version_is_the_rollback():
    lock = promotion(1, promotion(2, promotion(1)))
    assert [release.version for release in lock.releases] == [1, 2]


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
