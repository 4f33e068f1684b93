"""The reference model in the local environment, and its pipeline."""

from pathlib import Path

import pytest

from infra.config import load_environment, load_model
from infra.pipelines import Images, model_pipeline

ROOT = Path(__file__).parents[4] / "infra"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local"
IMAGES = Images(
    training=f"{REGISTRY}/training:1", serving=f"{REGISTRY}/serving:1", monitoring=f"{REGISTRY}/monitoring:1"
)
ROLE = "arn:aws:iam::123456789012:role/jobs"
KEY = "${aws_kms_key.platform.arn}"


@pytest.fixture(scope="session")
def environment():
    return load_environment("local", ROOT)


@pytest.fixture(scope="session")
def model(environment):
    return load_model("flight-delay", environment, ROOT)


@pytest.fixture(scope="session")
def names(environment, model):
    return environment.names.model(model.name)


@pytest.fixture
def pipeline(model, names):
    """Build the pipeline, with what the test says otherwise."""

    def build(*, model=model, names=names, champion=None, kms_key=KEY, role_arn=ROLE):
        return model_pipeline(model, names, images=IMAGES, role_arn=role_arn, champion=champion, kms_key=kms_key)

    return build
