"""The scheduled batch transform asks SageMaker for what the owner's file says, in a request that it would take."""

import pytest

from infra.config import BatchTransformConfig
from infra.pipelines import InvalidDefinition, transform_job


def job(names, model="flight-delay-0123456789", **settings):
    return transform_job(BatchTransformConfig(kind="batch-transform", **settings), names, model=model, kms_key="key")


def test_lines_are_joined_to_several_a_request_and_taken_apart_again(names):
    request = job(names)
    assert (request["TransformInput"]["SplitType"], request["BatchStrategy"]) == ("Line", "MultiRecord")
    assert request["TransformOutput"]["AssembleWith"] == "Line"


def test_a_file_that_is_not_split_is_one_request(names):
    request = job(names, split=False, content_type="application/json")
    assert (request["TransformInput"]["SplitType"], request["BatchStrategy"]) == ("None", "SingleRecord")
    assert request["TransformOutput"]["AssembleWith"] == "None"
    assert request["TransformInput"]["ContentType"] == request["TransformOutput"]["Accept"] == "application/json"


def test_answers_stand_alone_unless_asked_for_beside_their_requests(names):
    assert job(names)["DataProcessing"] == {"JoinSource": "None"}
    assert job(names, join_input=True)["DataProcessing"] == {"JoinSource": "Input"}


def test_every_run_has_a_name_and_a_folder_of_its_own(names):
    request = job(names)
    assert request["TransformJobName"] == "flight-delay-batch-<aws.scheduler.execution-id>"
    assert request["TransformOutput"]["S3OutputPath"].endswith("/batch/answers/<aws.scheduler.scheduled-time>")


def test_volumes_are_encrypted_with_the_key_where_there_are_any(names):
    assert job(names)["TransformResources"]["VolumeKmsKeyId"] == "key"
    assert "VolumeKmsKeyId" not in job(names, instance_type="ml.g5.xlarge")["TransformResources"]


def test_what_sagemaker_would_refuse_is_told_before(names):
    with pytest.raises(InvalidDefinition, match="ModelName"):
        job(names, model="flight_delay")
