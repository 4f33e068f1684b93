"""`sagestack preflight | deploy | verify | rollback` against a registry that answers as AWS's does."""

import pytest

from tests.local.release.conftest import GROUP

pytestmark = pytest.mark.local_cloud


def test_verify_without_a_release_fails_and_says_that_nothing_is_meant_to_be_live(sagestack):
    code, _, err = sagestack("verify", "churn")
    assert code == 1
    assert "churn has no release in local, so nothing is meant to be live: sagestack promote churn --env local" in err


def test_verify_after_a_promotion_that_was_not_deployed_fails_with_the_difference(sagestack, register):
    register()
    sagestack("approve", "churn", "1", "--why", "good")
    sagestack("promote", "churn")
    code, out, err = sagestack("verify", "churn")
    assert (code, out) == (1, "")
    assert f"churn in local is not as declared:\n  endpoint: declared {GROUP}, live does not exist\n" == err


def test_before_a_first_release_there_is_nothing_to_deploy_check_or_go_back_from(sagestack):
    for command in ("preflight", "deploy"):
        code, _, err = sagestack(command, "churn")
        assert (code, "churn has no release in local" in err) == (1, True)
    code, _, err = sagestack("rollback", "churn")
    assert (code, err) == (2, "churn has no release in local: there is nothing to go back from\n")


def test_a_deploy_of_what_is_not_there_any_more_is_refused_with_everything_that_is_missing(sagestack, register, cloud):
    arn = register()
    sagestack("approve", "churn", "1", "--why", "good")
    sagestack("promote", "churn")
    cloud.client("sagemaker").delete_model_package(ModelPackageName=arn)
    code, _, err = sagestack("deploy", "churn")
    assert code == 1
    again = "promote another: sagestack models churn --env local"
    assert err.splitlines() == [
        "churn cannot be deployed to local; nothing was changed:",
        f"  churn version 1 ({arn}) does not exist: {again}",
        f"  s3://registry/run/model.tar.gz does not exist: {again}",
        f"  the image registry/serving:1 does not exist in ECR: push it, or {again}",
    ]


def test_a_batch_transform_that_was_not_deployed_is_told_like_an_endpoint(sagestack, register, project):
    batch = "endpoint: {kind: batch-transform}\nmonitoring: {drift: null}\nretraining: {on_drift: false}\n"
    project.model("churn", batch)
    register()
    sagestack("approve", "churn", "1", "--why", "good")
    sagestack("promote", "churn")
    expected = f"churn in local is not as declared:\n  schedule: declared {GROUP}-batch, live does not exist\n"
    assert sagestack("verify", "churn") == (1, "", expected)


def test_a_rollback_to_what_is_not_there_any_more_is_refused_and_the_lock_stays(sagestack, register, lock):
    for number in ("1", "2"):
        register()
        sagestack("approve", "churn", number, "--why", "good")
        sagestack("promote", "churn", number)
    before = lock()
    code, _, err = sagestack("rollback", "churn")
    assert (code, "nothing was changed" in err) == (1, True)
    assert lock() == before


def test_a_first_release_has_none_before_it_to_go_back_to(sagestack, register):
    register()
    sagestack("approve", "churn", "1", "--why", "good")
    sagestack("promote", "churn")
    code, _, err = sagestack("rollback", "churn")
    assert (code, err) == (2, "churn version 1 is the first release: there is none before it\n")
