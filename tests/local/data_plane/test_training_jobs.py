import io
import json
import re
import tarfile
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/local"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test"


@pytest.fixture
def train(cloud, unique):
    """Create a training job running one of the fake image's commands; returns its name."""

    def create(command, *, image="job", channels=(), runtime=60, metrics=(), **more):
        cloud.client("s3").create_bucket(Bucket=unique)
        cloud.client("sagemaker").create_training_job(
            TrainingJobName=unique,
            RoleArn=ROLE,
            AlgorithmSpecification={
                "TrainingImage": f"{REGISTRY}/{image}:1",
                "TrainingInputMode": "File",
                "ContainerArguments": [command],
                "MetricDefinitions": list(metrics),
            },
            **({"InputDataConfig": [channel(name, uri) for name, uri in channels]} if channels else {}),
            OutputDataConfig={"S3OutputPath": f"s3://{unique}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": runtime},
            **more,
        )
        return unique

    return create


def channel(name, uri):
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


def describe_training(cloud, name):
    return cloud.client("sagemaker").describe_training_job(TrainingJobName=name)


def unpacked(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def test_a_training_job_reads_its_channels_and_leaves_a_model_and_its_output_data(cloud, train, unique):
    cloud.put(f"s3://{unique}/data/train/part/a.csv", b"1,2")
    job = train("train", channels=[("train", f"s3://{unique}/data/train/")])
    cloud.settle()
    answer = describe_training(cloud, job)
    assert answer["TrainingJobStatus"] == answer["SecondaryStatus"] == "Completed"
    uri = answer["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{unique}/models/{job}/output/model.tar.gz"
    assert unpacked(cloud.get(uri))["input/data/train/part/a.csv"] == b"1,2"
    assert unpacked(cloud.get(uri.replace("model.tar", "output.tar"))) == {"plot.svg": b"<svg/>"}


def test_a_training_container_sees_the_files_that_the_contract_promises(cloud, train, unique):
    cloud.put(f"s3://{unique}/train.csv", b"1")
    train("show", channels=[("train", f"s3://{unique}/train.csv")], HyperParameters={"num_leaves": "31"})
    cloud.settle()
    files = json.loads(unpacked(cloud.get(f"s3://{unique}/models/{unique}/output/model.tar.gz"))["seen.json"])["files"]
    assert json.loads(files["input/config/hyperparameters.json"]) == {"num_leaves": "31"}
    assert json.loads(files["input/config/inputdataconfig.json"])["train"]["TrainingInputMode"] == "File"
    assert json.loads(files["input/config/resourceconfig.json"])["hosts"] == ["algo-1"]
    assert files["input/data/train/train.csv"] == "1"


def test_a_container_gets_the_jobs_environment_and_nothing_of_this_machines(cloud, train, unique, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    train("show", Environment={"DEPTH": "3"})
    cloud.settle()
    archive = unpacked(cloud.get(f"s3://{unique}/models/{unique}/output/model.tar.gz"))
    environment = json.loads(archive["seen.json"])["environment"]
    assert environment["TRAINING_JOB_NAME"] == unique
    assert environment["TRAINING_JOB_ARN"].endswith(f":training-job/{unique}")
    assert environment["DEPTH"] == "3"
    assert environment["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert "AWS_PROFILE" not in environment


def test_a_training_job_tells_its_way_through_the_statuses_each_ending_as_the_next_begins(cloud, train):
    job = train("train")
    cloud.settle()
    transitions = describe_training(cloud, job)["SecondaryStatusTransitions"]
    assert [t["Status"] for t in transitions] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [t["EndTime"] for t in transitions[:-1]] == [t["StartTime"] for t in transitions[1:]]


def test_metrics_are_the_last_values_that_the_definitions_find_in_the_output(cloud, train):
    job = train("train", metrics=[{"Name": "validation:auc", "Regex": "validation_auc=([0-9.]+)"}])
    cloud.settle()
    (metric,) = describe_training(cloud, job)["FinalMetricDataList"]
    assert (metric["MetricName"], round(metric["Value"], 6)) == ("validation:auc", 0.75)


def test_a_containers_output_is_in_cloudwatch_logs(cloud, train, eventually):
    job = train("wait")
    eventually(lambda: cloud.log("/aws/sagemaker/TrainingJobs", f"{job}/algo-1-") == ["waiting"])
    cloud.client("sagemaker").stop_training_job(TrainingJobName=job)
    cloud.settle()
    assert cloud.log("/aws/sagemaker/TrainingJobs", f"{job}/algo-1-") == ["waiting"]


def test_a_failed_training_jobs_reason_is_what_its_container_wrote(cloud, train):
    job = train("fail")
    cloud.settle()
    answer = describe_training(cloud, job)
    assert answer["TrainingJobStatus"] == "Failed"
    assert answer["FailureReason"].startswith("AlgorithmError: the data has no rows")
    assert answer["FailureReason"].endswith(", exit code: 3")
    assert len(answer["FailureReason"]) <= 1024


def test_a_killed_container_is_a_failed_job_with_the_code_of_its_signal(cloud, train):
    job = train("die")
    cloud.settle()
    assert describe_training(cloud, job)["FailureReason"].endswith(", exit code: 137")


def test_a_stopped_training_job_keeps_the_model_it_had_so_far(cloud, train, unique, eventually):
    job = train("wait")
    eventually(lambda: list((cloud.home / "training-jobs" / job).glob("log.txt")))
    eventually((cloud.home / "training-jobs" / job / "log.txt").read_text)
    cloud.client("sagemaker").stop_training_job(TrainingJobName=job)
    assert describe_training(cloud, job)["TrainingJobStatus"] in {"Stopping", "Stopped"}
    cloud.settle()
    assert describe_training(cloud, job)["SecondaryStatus"] == "Stopped"
    archive = cloud.get(f"s3://{unique}/models/{job}/output/model.tar.gz")
    assert unpacked(archive) == {"so-far.txt": b"half a model"}


def test_a_container_that_ignores_sigterm_is_killed_after_the_grace(cloud, train, eventually):
    job = train("ignore")
    eventually(lambda: describe_training(cloud, job)["SecondaryStatus"] == "Training")
    cloud.client("sagemaker").stop_training_job(TrainingJobName=job)
    cloud.settle()
    assert describe_training(cloud, job)["TrainingJobStatus"] == "Stopped"


def test_a_job_that_has_ended_cannot_be_stopped(cloud, train):
    job = train("train")
    cloud.settle()
    with pytest.raises(ClientError, match="is in status Completed"):
        cloud.client("sagemaker").stop_training_job(TrainingJobName=job)


def test_a_job_past_its_longest_runtime_is_stopped(cloud, train):
    job = train("wait", runtime=1)
    cloud.settle()
    answer = describe_training(cloud, job)
    assert (answer["TrainingJobStatus"], answer["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_channel_without_objects_fails_the_job_as_on_aws(cloud, train, unique):
    job = train("train", channels=[("train", f"s3://{unique}/nothing/")])
    cloud.settle()
    reason = describe_training(cloud, job)["FailureReason"]
    assert reason.startswith(f'ClientError: No S3 objects found under S3 URL "s3://{unique}/nothing/"')


def test_an_unknown_image_fails_the_job(cloud, train):
    job = train("train", image="pytorch")
    cloud.settle()
    answer = describe_training(cloud, job)
    assert answer["TrainingJobStatus"] == "Failed"
    assert re.match("ClientError: no image '.*/pytorch:1' can be run here", answer["FailureReason"])


def test_a_second_job_of_the_same_name_is_refused(cloud, train):
    train("train")
    with pytest.raises(ClientError, match="ResourceInUse"):
        train("train")
    cloud.settle()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CheckpointConfig": {"S3Uri": "s3://b/c"}}, "UnsupportedOperation.*checkpoints"),
        ({"HyperParameters": {"x": "y" * 2501}}, "length less than or equal to 2500"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_job_starts(train, change, message):
    with pytest.raises(ClientError, match=message):
        train("train", **change)


def test_jobs_are_listed_newest_first_in_pages(cloud, train, unique):
    client = cloud.client("sagemaker")
    job = train("train", Tags=[{"Key": "team", "Value": "ops"}])
    cloud.settle()
    first = client.list_training_jobs(MaxResults=1)["TrainingJobSummaries"]
    assert [row["TrainingJobName"] for row in first] == [job]
    found = [
        row
        for page in client.get_paginator("list_training_jobs").paginate(MaxResults=1)
        for row in page["TrainingJobSummaries"]
    ]
    assert job in {row["TrainingJobName"] for row in found}
    assert not client.list_training_jobs(NameContains=unique, StatusEquals="Failed")["TrainingJobSummaries"]
    soon = cloud.now() + timedelta(hours=1)
    assert not client.list_training_jobs(CreationTimeAfter=soon)["TrainingJobSummaries"]
    assert client.list_tags(ResourceArn=describe_training(cloud, job)["TrainingJobArn"])["Tags"][0]["Value"] == "ops"


def test_a_completed_jobs_sandbox_is_removed_but_its_log_kept(cloud, train):
    folder = cloud.home / "training-jobs" / train("train")
    cloud.settle()
    assert [path.name for path in folder.iterdir()] == ["log.txt"]


def test_a_failed_jobs_sandbox_is_kept_to_look_into(cloud, train):
    folder = cloud.home / "training-jobs" / train("fail")
    cloud.settle()
    assert (folder / "ml/output/failure").exists()


def test_job_state_changes_are_events(train, unique, listen):
    queue = listen({"source": ["aws.sagemaker"], "detail": {"TrainingJobName": [unique]}})
    train("train")
    events = sorted(queue.read(), key=lambda event: event["detail"]["LastModifiedTime"])
    assert {event["detail-type"] for event in events} == {"SageMaker Training Job State Change"}
    assert [event["detail"]["TrainingJobStatus"] for event in events] == ["InProgress"] * 4 + ["Completed"]
    assert events[-1]["detail"]["CreationTime"] > 1_000_000_000_000
