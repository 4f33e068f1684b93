"""A project whose registry is one on the local cloud, where versions are registered as the pipeline does."""

import json

import pytest

GROUP = "releases-local-churn"
ENVIRONMENT = """
prefix: releases
account: "123456789012"
region: us-east-1
endpoint_url: {url}
state: {{kind: file, directory: build/state}}
releases: build/releases
destroy_protection: {protected}
"""


@pytest.fixture
def project(new_project, cloud, monkeypatch):
    """A project whose local environment is the local cloud, and a protected one in the same place."""
    project = new_project()
    for name, protected in (("local", "false"), ("prod", "true")):
        project.environment(name, ENVIRONMENT.format(url=cloud.endpoint_url, protected=protected))
    project.model("churn")
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    monkeypatch.delenv("SAGESTACK_ENV", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return project


@pytest.fixture
def sagestack(project, in_process):
    """Run a command on the project: exit code, standard output, standard error."""
    assert project.root.is_dir()
    return in_process


@pytest.fixture
def register(cloud):
    """Register versions as the pipeline does; they are gone after the test."""
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

    def add(*, auc="0.712", **changes):
        properties = {
            "baseline_uri": "s3://registry/run/baseline",
            "evaluation_uri": "s3://registry/run/evaluation.json",
            "trained_on": "2013-01 2013-02",
            "data_fingerprint": "sha256:0",
            "started_by": "drift",
            "auc": auc,
        }
        container = {"Image": "registry/serving:1", "ModelDataUrl": "s3://registry/run/model.tar.gz"}
        request = {
            "ModelPackageGroupName": GROUP,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "CustomerMetadataProperties": properties,
        }
        return sagemaker.create_model_package(**request | changes)["ModelPackageArn"]

    yield add
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=GROUP)
    for package in [package for page in pages for package in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)


@pytest.fixture
def lock(project):
    """Reads the release lock; None where there is none."""

    def read():
        path = project.folder / "build/releases/churn.json"
        return json.loads(path.read_text()) if path.exists() else None

    return read
