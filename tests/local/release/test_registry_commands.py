"""`sagestack models | approve | promote | retire` against a registry that answers as AWS's does."""

import json
import socket

import pytest

from tests.local.release.conftest import ENVIRONMENT, GROUP

pytestmark = pytest.mark.local_cloud


def test_before_the_first_deploy_there_is_no_registry_and_the_message_says_so(sagestack):
    for command in (("models", "churn"), ("promote", "churn"), ("approve", "churn", "1", "--why", "good")):
        code, out, err = sagestack(*command)
        assert (code, out) == (2, "")
        assert "deploy first, so that there is a registry" in err
        assert "Traceback" not in err


def test_versions_are_listed_newest_first_with_what_they_scored_and_why_they_were_trained(sagestack, register):
    for auc in ("0.6", "0.7"):
        register(auc=auc)
    code, out, _ = sagestack("models", "churn")
    rows = [line.split("│")[1:-1] for line in out.splitlines() if line.startswith("│")]
    assert code == 0
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["2", "PendingManualApproval", "auc 0.700", "2013-01 2013-02", "drift", ""],
        ["1", "PendingManualApproval", "auc 0.600", "2013-01 2013-02", "drift", ""],
    ]


def test_a_version_that_somebody_registered_by_hand_is_listed_too(sagestack, register):
    register(CustomerMetadataProperties={"note": "by hand"})
    code, out, _ = sagestack("models", "churn")
    assert code == 0
    assert out.count("unknown") == 2


def test_what_another_environment_has_registered_is_promoted_as_it_is(sagestack, register, project, cloud):
    text = ENVIRONMENT.format(url=cloud.endpoint_url, protected="true").replace("build/releases", "build/staging")
    project.environment("staging", f"{text}registry_from: local\n")
    arn = register(ModelApprovalStatus="Approved")
    assert "Approved" in sagestack("models", "churn", "--env", "staging")[1]
    code, _, err = sagestack("promote", "churn", "--env", "staging", "--by", "grace")
    assert code == 0, err
    release = json.loads((project.folder / "build/staging/churn.json").read_text())["current"]
    assert (release["registry"], release["model_package_arn"]) == ("local", arn)
    assert release["model_data_url"] == "s3://registry/run/model.tar.gz"
    assert "live" in sagestack("models", "churn", "--env", "staging")[1]
    code, _, err = sagestack("promote", "churn", "--env", "staging", "--from", "prod")
    assert (code, err) == (
        2,
        "staging does not release from prod: set registry_from: prod in environments/staging.yaml\n",
    )


def test_what_is_not_approved_yet_is_approved_where_it_was_registered(sagestack, register, project, cloud):
    text = ENVIRONMENT.format(url=cloud.endpoint_url, protected="true")
    project.environment("staging", f"{text}registry_from: local\n")
    register()
    code, _, err = sagestack("promote", "churn", "1", "--env", "staging")
    assert (code, "sagestack approve churn 1 --env local first" in err) == (2, True)


def test_approval_keeps_who_and_why_in_the_registry(sagestack, register, cloud):
    arn = register()
    code, out, _ = sagestack("approve", "churn", "1", "--why", "better on the newest days", "--by", "ada")
    assert code == 0
    assert "churn version 1 is approved by ada" in out
    package = cloud.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Approved", "better on the newest days")
    assert package["CustomerMetadataProperties"]["approved_by"] == "ada"
    assert package["CustomerMetadataProperties"]["baseline_uri"] == "s3://registry/run/baseline"


def test_an_approval_needs_a_reason(sagestack, register):
    register()
    code, _, err = sagestack("approve", "churn", "1")
    assert code == 2
    assert "--why" in err


def test_a_version_that_is_not_there_is_answered_with_those_that_are(sagestack, register):
    register()
    register()
    for command in (("approve", "churn", "7", "--why", "good"), ("promote", "churn", "7")):
        assert sagestack(*command) == (2, "", "churn has no version 7; registered: 2, 1\n")


def test_nothing_is_promoted_that_nobody_approved(sagestack, register, lock):
    register()
    code, _, err = sagestack("promote", "churn")
    assert code == 2
    assert "churn has no approved version: sagestack models churn, then sagestack approve churn VERSION" in err
    code, _, err = sagestack("promote", "churn", "1")
    assert (code, "sagestack approve churn 1 first" in err) == (2, True)
    assert lock() is None


def test_the_newest_approved_version_is_promoted_unless_another_is_named(sagestack, register, lock):
    for number in ("1", "2", "3"):
        register()
        if number != "3":
            sagestack("approve", "churn", number, "--why", "good", "--by", "ada")
    code, out, _ = sagestack("promote", "churn", "--by", "grace")
    told = lock()
    assert code == 0
    assert "churn version 2 is current" in out
    assert (told["current"]["version"], told["current"]["approved_by"], told["current"]["promoted_by"]) == (
        2,
        "ada",
        "grace",
    )
    sagestack("promote", "churn", "1")
    told = lock()
    assert (told["current"]["version"], told["previous"]["version"]) == (1, 2)
    assert "live" in next(line for line in sagestack("models", "churn")[1].splitlines() if line.startswith("│ 1 "))


def test_promoting_again_leaves_the_lock_as_it_is(sagestack, register, lock):
    register()
    sagestack("approve", "churn", "1", "--why", "good")
    sagestack("promote", "churn", "--by", "grace")
    before = lock()
    assert sagestack("promote", "churn", "--by", "somebody")[0] == 0
    assert lock() == before


def test_retire_deletes_every_version(sagestack, register, cloud):
    register()
    register()
    code, out, _ = sagestack("retire", "churn")
    assert (code, "churn in local: 2 versions deleted" in out) == (0, True)
    packages = cloud.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)
    assert packages["ModelPackageSummaryList"] == []


def test_a_protected_environment_refuses_to_retire(sagestack, register, cloud):
    register()
    code, _, err = sagestack("retire", "churn", "--env", "prod")
    assert code == 2
    assert "prod protects its models from being destroyed: set destroy_protection to false" in err
    packages = cloud.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)
    assert len(packages["ModelPackageSummaryList"]) == 1


@pytest.mark.parametrize("command", [("models", "chrn"), ("promote", "chrn"), ("verify", "chrn"), ("retire", "chrn")])
def test_a_model_that_is_not_there_is_a_mistake_with_a_suggestion(sagestack, command):
    code, _, err = sagestack(*command)
    assert code == 2
    assert "there is no model chrn: did you mean churn?" in err


def test_an_endpoint_url_that_nobody_answers_at_is_told_without_a_traceback(sagestack, project, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and listening to nobody
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        project.environment("local", ENVIRONMENT.format(url=url, protected="false"))
        code, out, err = sagestack("models", "churn")
    assert (code, out) == (2, "")
    assert err == f'AWS: Could not connect to the endpoint URL: "{url}/"\n'
