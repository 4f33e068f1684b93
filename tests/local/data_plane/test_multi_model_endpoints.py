from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test/server:1"


def create(deployment, **config):
    """Begin a multi-model endpoint of archives `a` to `d`; the fake container has room for two of them."""
    for name in "abcd":
        deployment.artifact(f"archives/{name}")
    deployment.sagemaker.create_model(
        ModelName=f"{deployment.name}-v1",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "Mode": "MultiModel",
            "ModelDataUrl": f"s3://{deployment.name}/archives/",
            **({"MultiModelConfig": config} if config else {}),
        },
    )
    deployment.config(**deployment.capturing())
    deployment.create()
    return deployment


@pytest.fixture(scope="module")
def several(shared):
    return create(shared)


def target(name):
    return {"TargetModel": f"{name}/model.tar.gz"}


def test_a_request_is_answered_by_the_model_that_it_names(several):
    for name in ("a", "b", "a"):
        answer = several.ask(**target(name))
        assert answer["model"] == f"archives/{name}"
    assert answer["loaded"] == 2


def test_the_model_not_asked_for_longest_makes_room_for_another(several):
    asked = ["c", "d", "c", "a", "c", "b", "d"]
    answers = [several.ask(**target(name)) for name in asked]
    assert [answer["model"].rsplit("/", 1)[-1] for answer in answers] == asked
    assert len({answer["pid"] for answer in answers}) == 1
    assert max(answer["loaded"] for answer in answers) == 2
    assert answers[-1]["loads"] - answers[0]["loads"] == 4, "c, asked for again and again, stays until d comes back"


def test_models_are_not_kept_where_caching_is_disabled(deployment):
    create(deployment, ModelCacheSetting="Disabled")
    assert [deployment.ask(**target(name))["loaded"] for name in ("a", "b", "a")] == [1, 1, 1]


def test_many_callers_of_many_models_each_get_their_own(several):
    names = [name for _ in range(10) for name in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: several.ask(**target(name))["model"], names))
    assert answers == [f"archives/{name}" for name in names]


def test_a_model_that_is_not_there_is_an_error_and_the_others_answer(several):
    with pytest.raises(ClientError, match=r'ValidationError.*Failed to download model data.*/archives/z/model.tar.gz"'):
        several.ask(**target("z"))
    several.cloud.put(f"s3://{several.name}/archives/z/model.tar.gz", b"broken")
    with pytest.raises(ClientError, match=r"ValidationError.*Failed to extract model data archive"):
        several.ask(**target("z"))
    assert several.ask(**target("a"))["model"] == "archives/a"


def test_a_request_must_name_a_model(several):
    with pytest.raises(ClientError, match=r"ValidationError.*needs a TargetModel"):
        several.ask()


def test_a_model_cannot_be_named_where_there_is_one_only(live):
    with pytest.raises(ClientError, match=r"ValidationError.*TargetModel is for multi-model endpoints"):
        live.ask(**target("a"))
