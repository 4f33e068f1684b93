import re
from typing import get_args

import botocore.session
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.config.base import KEBAB
from infra.config.environment import LONGEST_BUCKET_NAME
from infra.config.fits import LONGEST_NAME
from infra.naming import BucketKind, Names

LOCAL = Names("sagestack", "local", "123456789012", "us-east-1")
word = st.text("abyz059", min_size=1, max_size=12)
words = st.lists(word, min_size=1, max_size=4).map("-".join).filter(lambda name: name[0].isalpha() and len(name) <= 40)
environments = st.builds(
    Names,
    words.filter(lambda name: len(name) <= 20),
    words.filter(lambda name: len(name) <= 20),
    st.text("0123456789", min_size=12, max_size=12),
    st.sampled_from(["us-east-1", "ap-southeast-2", "us-gov-west-1"]),
)


@pytest.fixture(scope="module")
def sagemaker():
    return botocore.session.get_session().get_service_model("sagemaker")


def test_names_of_the_reference_model():
    names = LOCAL.model("flight-delay")
    assert names.base == "sagestack-local-flight-delay"
    assert names.release("0123456789abcdef") == "sagestack-local-flight-delay-0123456789"
    assert names.data_uri == "s3://sagestack-local-data-123456789012/flight-delay/labelled/"
    assert names.runs_uri == "s3://sagestack-local-registry-123456789012/flight-delay/runs"
    assert names.capture_uri == "s3://sagestack-local-capture-123456789012/flight-delay"
    assert names.drift_reports_uri == "s3://sagestack-local-registry-123456789012/flight-delay/drift"
    assert names.quality_reports_uri == "s3://sagestack-local-registry-123456789012/flight-delay/quality"
    assert names.ground_truth_uri == "s3://sagestack-local-data-123456789012/flight-delay/ground-truth"


def test_an_images_uri_is_as_sagemaker_takes_it():
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local/serving:1f"
    assert LOCAL.image("serving", "1f") == uri


@pytest.mark.parametrize("uri", ["s3://registry/run/baseline", "s3://registry/run/baseline/"])
def test_the_baselines_file_is_found_with_and_without_a_slash(uri):
    assert LOCAL.model("churn").baseline_file(uri) == "s3://registry/run/baseline/baseline.json"


@given(words)
def test_these_are_names_that_the_configuration_accepts(name):
    assert re.fullmatch(KEBAB, name)


@given(environments, words)
def test_names_that_the_configuration_accepts_are_names_that_sagemaker_takes(sagemaker, names, model):
    named = names.model(model)
    release = named.release("0" * 64)
    assume(len(release) <= LONGEST_NAME)  # `sagestack validate` refuses longer ones
    for shape in ("EndpointName", "EndpointConfigName", "ModelName", "EntityName"):
        limits = sagemaker.shape_for(shape).metadata
        assert limits["max"] == LONGEST_NAME
        for name in (release, named.base):
            assert re.fullmatch(limits["pattern"], name)


@given(environments)
def test_buckets_have_names_of_their_own_that_s3_takes(names):
    buckets = [names.bucket(kind) for kind in get_args(BucketKind)]
    assume(max(map(len, buckets)) <= LONGEST_BUCKET_NAME)
    assert len(set(buckets)) == len(buckets) == 4
    for bucket in buckets:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]+[a-z0-9]", bucket)
        assert bucket.endswith(names.account)


@given(environments, st.lists(words, min_size=2, max_size=2, unique=True))
def test_no_models_data_lies_below_anothers(names, models):
    one, other = (names.model(model) for model in models)
    for place in (
        "data_uri",
        "runs_uri",
        "capture_uri",
        "drift_reports_uri",
        "ground_truth_uri",
        "quality_reports_uri",
    ):
        mine, theirs = (getattr(each, place).rstrip("/") + "/" for each in (one, other))
        assert not mine.startswith(theirs)
        assert not theirs.startswith(mine)


@given(environments, words, st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_release_is_named_by_its_content(names, model, digest):
    named = names.model(model)
    assert named.release(digest) == named.release(digest[:10])
    changed = ("1" if digest[0] == "0" else "0") + digest[1:]
    assert named.release(digest) != named.release(changed)
