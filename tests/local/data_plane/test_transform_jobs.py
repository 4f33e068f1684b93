import gzip
import json

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def transform(deployment):
    """Run a transform job over objects, of a model with a behaviour; returns its description."""

    def run(objects, model=None, *, settle=True, split="Line", assemble="Line", compression="None", **more):
        name = deployment.model(**({"counts": True} if model is None else model))
        for key, body in objects.items():
            deployment.cloud.put(f"s3://{deployment.name}/in/{key}", body)
        deployment.sagemaker.create_transform_job(
            TransformJobName=deployment.name,
            ModelName=name,
            TransformInput={
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{deployment.name}/in/"}},
                "ContentType": "text/csv",
                "SplitType": split,
                "CompressionType": compression,
            },
            TransformOutput={"S3OutputPath": f"s3://{deployment.name}/out", "AssembleWith": assemble, "KmsKeyId": "k"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **more,
        )
        if settle:
            deployment.cloud.settle()
        return deployment.sagemaker.describe_transform_job(TransformJobName=deployment.name)

    return run


@pytest.fixture
def output(deployment):
    return lambda key: deployment.cloud.get(f"s3://{deployment.name}/out/{key}.out")


def test_every_object_is_split_asked_about_and_assembled_in_order(transform, output, deployment):
    answer = transform({"a.csv": b"1,2\n3,4,5\n", "day/b.csv": b"9\n"})
    assert (answer["TransformJobStatus"], answer.get("FailureReason")) == ("Completed", None)
    assert answer["TransformStartTime"] <= answer["TransformEndTime"]
    assert output("a.csv") == b"2,0\n3,1\n"
    assert output("day/b.csv") == b"1,0\n"
    stored = deployment.cloud.client("s3").head_object(Bucket=deployment.name, Key="out/a.csv.out")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", "k")
    (row,) = deployment.sagemaker.list_transform_jobs(NameContains=deployment.name)["TransformJobSummaries"]
    assert row["TransformJobStatus"] == "Completed"


def test_a_single_record_strategy_asks_once_a_record(transform, output):
    transform({"a.csv": b"1,2\n3,4,5\n"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    assert output("a.csv") == b"2,0\n3,0\n"


def test_a_payload_holds_as_many_records_as_fit(transform, output):
    line = b"x" * 600_000
    transform({"a.csv": b"\n".join([line] * 3)}, MaxPayloadInMB=1)
    assert output("a.csv") == b"1,0\n1,0\n1,0\n"


def test_what_the_request_leaves_open_is_asked_of_the_container(transform, output):
    parameters = {"BatchStrategy": "SINGLE_RECORD", "MaxConcurrentTransforms": 2, "MaxPayloadInMB": 1}
    transform({"a.csv": b"1,2\n3,4,5"}, {"counts": True, "parameters": parameters})
    assert output("a.csv") == b"2,0\n3,0\n"


def test_an_object_that_is_not_split_is_one_request_and_its_answer_stays_as_it_is(transform, output):
    transform({"a.csv": b"1\n2\n"}, {}, split="None", assemble="None", Environment={"DEPTH": "3"}, MaxPayloadInMB=5)
    seen = json.loads(output("a.csv"))
    assert seen["body"] == 4
    assert seen["headers"]["Content-Type"] == "text/csv"
    assert seen["variables"]["SAGEMAKER_BATCH"] == "true"
    assert seen["variables"]["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "5"


def test_compressed_objects_are_read(transform, output):
    transform({"a.csv.gz": gzip.compress(b"1,2\n")}, compression="Gzip")
    assert output("a.csv.gz") == b"2,0\n"


def test_answers_are_joined_with_their_input_and_filtered(transform, output):
    filters = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-2]"}
    transform({"a.csv": b"7,1,2\n8,3,4\n"}, DataProcessing=filters)
    assert output("a.csv") == b"7,2\n8,2\n"


def test_one_object_that_fails_fails_the_job_with_the_reason_and_the_others_have_their_output(
    transform, output, deployment
):
    answer = transform({"bad.csv": b"error 400", "good.csv": b"1,2"})
    assert answer["TransformJobStatus"] == "Failed"
    place = f"s3://{deployment.name}/in/bad.csv"
    reason = f'AlgorithmError: {place}: Received error (400) from primary with message "that is wrong"'
    assert answer["FailureReason"] == reason
    assert output("good.csv") == b"2,0\n"
    assert not deployment.cloud.keys(f"s3://{deployment.name}/out/bad")


def test_a_record_larger_than_a_payload_fails_the_job(transform):
    answer = transform({"a.csv": b"x" * 1_100_000}, MaxPayloadInMB=1)
    assert "a record of 1100000 bytes exceeds MaxPayloadInMB (1)" in answer["FailureReason"]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"data": b"not an archive"}, "ClientError: Failed to extract model data archive"),
        ({"image": "acme/pytorch:1"}, "ClientError: no image 'acme/pytorch:1' can be run here"),
    ],
    ids=["no archive", "unknown image"],
)
def test_a_model_that_cannot_be_served_fails_the_job(transform, model, reason):
    assert transform({"a.csv": b"1"}, model)["FailureReason"].startswith(reason)


def test_a_prefix_without_objects_fails_the_job(transform):
    assert "No S3 objects found" in transform({})["FailureReason"]


def test_a_stopped_job_asks_no_more(transform, deployment, eventually):
    objects = {f"{number}.csv": b"1" for number in range(20)}
    transform(objects, {"seconds": 0.3}, settle=False)
    found = lambda: deployment.sagemaker.describe_transform_job(TransformJobName=deployment.name)  # noqa: E731
    eventually(lambda: "TransformStartTime" in found())
    deployment.sagemaker.stop_transform_job(TransformJobName=deployment.name)
    assert found()["TransformJobStatus"] in {"Stopping", "Stopped"}
    deployment.cloud.settle()
    assert found()["TransformJobStatus"] == "Stopped"
    assert len(deployment.cloud.keys(f"s3://{deployment.name}/out")) < 20


def test_transform_job_state_changes_are_events_and_output_is_logged(transform, deployment, listen):
    queue = listen({"source": ["aws.sagemaker"], "detail": {"TransformJobName": [deployment.name]}})
    transform({"a.csv": b"1"})
    events = queue.read()
    assert {event["detail-type"] for event in events} == {"SageMaker Transform Job State Change"}
    assert {event["detail"]["TransformJobStatus"] for event in events} == {"InProgress", "Completed"}
    assert deployment.cloud.log("/aws/sagemaker/TransformJobs", f"{deployment.name}/i-") == ["serving"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "RecordIO"}, "UnsupportedOperation.*SplitType RecordIO"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "UnsupportedOperation.*DataCaptureConfig"),
        ({"DataProcessing": {"InputFilter": "$.*"}}, r"ValidationException.*'\$\.\*' is no path"),
        ({"MaxConcurrentTransforms": 30, "MaxPayloadInMB": 6}, "ValidationException.*is 180 MB"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_job_starts(transform, change, message):
    with pytest.raises(ClientError, match=message):
        transform({"a.csv": b"1"}, **change)


def test_a_job_of_a_model_that_does_not_exist_is_refused(transform, deployment, monkeypatch):
    monkeypatch.setattr(deployment, "model", lambda **_: "nobody")
    with pytest.raises(ClientError, match='Could not find model "nobody"'):
        transform({"a.csv": b"1"})
