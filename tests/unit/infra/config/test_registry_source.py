"""Which environment another one releases from, and why it may not."""

import pytest

from infra.config import ConfigError, load_environment, load_project

DEV = """
prefix: acme
account: "111111111111"
region: {region}
state: {{kind: s3, bucket: acme-terraform-state}}
shares_registry_with: [{shared}]
"""
STAGING = """
prefix: acme
account: "333333333333"
region: eu-central-1
state: {kind: s3, bucket: acme-terraform-state}
registry_from: dev
"""


def source(files, *, region="eu-central-1", shared='"333333333333"', name="dev"):
    files.write("infra/environments/dev.yaml", DEV.format(region=region, shared=shared))
    files.write("infra/environments/staging.yaml", STAGING.replace("dev", name))
    return load_project("staging", files.root).source


def refused(files, **changes):
    with pytest.raises(ConfigError) as caught:
        source(files, **changes)
    return str(caught.value)


def test_it_is_the_environment_that_is_named(files):
    assert source(files).account == "111111111111"


def test_an_environment_that_names_none_releases_its_own(files):
    assert load_project("local", files.root).source is None


def test_another_role_for_one_run_is_not_taken_for_the_other_environments(files, monkeypatch):
    monkeypatch.setenv("SAGESTACK_DEPLOY_ROLE", "arn:aws:iam::333333333333:role/breakglass")
    assert source(files).deploy_role is None
    assert load_environment("staging", files.root).deploy_role.endswith("breakglass")


def test_one_that_is_none_is_told_with_the_nearest(files):
    assert refused(files, name="dve") == (
        'infra/environments/staging.yaml:6: registry_from is "dve", which is no environment: did you mean dev?'
    )


def test_one_in_another_region_is_refused_since_sagemaker_reads_from_its_own(files):
    assert refused(files, region="us-east-1") == (
        "infra/environments/staging.yaml:6: registry_from is in us-east-1, but staging is in eu-central-1, where "
        "SageMaker reads from: train in the same region"
    )


def test_one_that_does_not_let_itself_be_read_is_refused_with_what_is_missing_over_there(files):
    assert refused(files, shared='"222222222222"') == (
        "infra/environments/staging.yaml:6: registry_from does not let 333333333333 read it: add that to "
        "shares_registry_with in environments/dev.yaml, and deploy dev first"
    )
