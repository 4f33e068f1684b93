import json

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/local"
SHARES = {"algo-1": ("1", "3"), "algo-2": ("2",)}
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test"


@pytest.fixture
def process(cloud, unique):
    """Create a processing job running one of the fake image's commands; returns its name."""

    def create(command, *, entrypoint=("python", "-m", "fake_job"), inputs=(), outputs=(), count=1, sharded=(), **more):
        cloud.client("s3").create_bucket(Bucket=unique)
        cloud.client("sagemaker").create_processing_job(
            ProcessingJobName=unique,
            RoleArn=ROLE,
            AppSpecification={
                "ImageUri": f"{REGISTRY}/job:1",
                "ContainerEntrypoint": list(entrypoint),
                "ContainerArguments": [command],
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
            ProcessingInputs=[
                {
                    "InputName": path.rpartition("/")[2],
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": path,
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                        "S3DataDistributionType": "ShardedByS3Key" if path in sharded else "FullyReplicated",
                    },
                }
                for uri, path in inputs
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": path.rpartition("/")[2],
                        "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"},
                    }
                    for path, uri in outputs
                ]
            },
            **more,
        )
        return unique

    return create


def describe_processing(cloud, name):
    return cloud.client("sagemaker").describe_processing_job(ProcessingJobName=name)


def seen(cloud, uri):
    return json.loads(cloud.get(uri))


def test_a_processing_job_reads_its_inputs_and_uploads_its_outputs(cloud, process, unique):
    cloud.put(f"s3://{unique}/raw/2013/a.csv", b"1")
    cloud.put(f"s3://{unique}/model.tar.gz", b"archive")
    job = process(
        "show",
        inputs=[
            (f"s3://{unique}/raw", "/opt/ml/processing/input/data"),
            (f"s3://{unique}/model.tar.gz", "/opt/ml/processing/input/model"),
        ],
        outputs=[("/opt/ml/processing/output/seen", f"s3://{unique}/out/seen")],
        Environment={"SPEC": "{}"},
    )
    cloud.settle()
    assert describe_processing(cloud, job)["ProcessingJobStatus"] == "Completed"
    files = seen(cloud, f"s3://{unique}/out/seen/seen.json")["files"]
    assert files["processing/input/data/2013/a.csv"] == "1"
    assert files["processing/input/model/model.tar.gz"] == "archive"
    assert json.loads(files["config/processingjobconfig.json"])["ProcessingJobName"] == job
    assert json.loads(files["config/resourceconfig.json"])["current_host"] == "algo-1"


def test_a_failed_processing_job_has_its_message_and_uploads_nothing(cloud, process, unique):
    job = process("fail", outputs=[("/opt/ml/processing/output/seen", f"s3://{unique}/out")])
    cloud.settle()
    answer = describe_processing(cloud, job)
    assert answer["ProcessingJobStatus"] == "Failed"
    assert answer["ExitMessage"].startswith("the data has no rows")
    assert len(answer["ExitMessage"]) == 1024
    assert answer["FailureReason"].endswith(", exit code: 3")
    assert not cloud.keys(f"s3://{unique}/out")


def test_a_processing_job_can_be_stopped_before_its_turn_comes(cloud, unique):
    held = [f"{unique}-{number}" for number in range(8)]
    client = cloud.client("sagemaker")
    for name in held:
        client.create_processing_job(
            ProcessingJobName=name,
            RoleArn=ROLE,
            AppSpecification={
                "ImageUri": "job",
                "ContainerEntrypoint": ["python", "-m", "fake_job"],
                "ContainerArguments": ["ignore"],
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
        )
    for name in reversed(held):
        client.stop_processing_job(ProcessingJobName=name)
    cloud.settle()
    assert {describe_processing(cloud, name)["ProcessingJobStatus"] for name in held} == {"Stopped"}
    assert "ProcessingStartTime" not in describe_processing(cloud, held[-1])


def test_an_entry_point_that_is_not_the_images_fails_the_job(cloud, process):
    job = process("show", entrypoint=("bash", "-c"))
    cloud.settle()
    assert "has no 'bash -c' here" in describe_processing(cloud, job)["FailureReason"]


def test_several_hosts_each_get_their_share_of_a_sharded_input_and_all_of_another(cloud, process, unique):
    for name in ("1", "2", "3"):
        cloud.put(f"s3://{unique}/raw/{name}.csv", b"")
    folders = [f"/opt/ml/processing/input/{name}" for name in ("dealt", "whole")]
    job = process(
        "show",
        inputs=[(f"s3://{unique}/raw", folder) for folder in folders],
        outputs=[("/opt/ml/processing/output/seen", f"s3://{unique}/out")],
        count=2,
        sharded=folders[:1],
    )
    cloud.settle()
    assert describe_processing(cloud, job)["ProcessingJobStatus"] == "Completed"
    files = seen(cloud, f"s3://{unique}/out/seen.json")["files"]
    assert json.loads(files["config/resourceconfig.json"])["hosts"] == ["algo-1", "algo-2"]
    found = {host: [f"processing/input/dealt/{name}.csv" for name in names] for host, names in SHARES.items()}
    mine = found[json.loads(files["config/resourceconfig.json"])["current_host"]]
    assert [name for name in sorted(files) if "/dealt/" in name] == mine
    assert len([name for name in files if "/whole/" in name]) == 3


def test_a_host_that_fails_ends_the_others_and_the_job(cloud, process):
    job = process("fail_on_the_second_host", count=2)
    cloud.settle()
    answer = describe_processing(cloud, job)
    assert answer["ProcessingJobStatus"] == "Failed"
    assert answer["FailureReason"] == "AlgorithmError: no data for algo-2, exit code: 4"


def test_more_hosts_than_there_can_be_processes_are_refused(process):
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*a job on 9 instances"):
        process("show", count=9)


def test_a_local_path_outside_the_processing_folder_is_refused(process, unique):
    with pytest.raises(ClientError, match="must start with /opt/ml/processing/"):
        process("show", outputs=[("/opt/ml/processing/../../etc", f"s3://{unique}/out")])


def test_a_job_that_does_not_exist_is_not_found(cloud):
    with pytest.raises(ClientError, match="ResourceNotFound"):
        describe_processing(cloud, "nobody")


def test_a_name_that_aws_refuses_is_refused(cloud):
    with pytest.raises(ClientError, match=r"ValidationException.*processingJobName.*regular expression"):
        cloud.client("sagemaker").create_processing_job(
            ProcessingJobName="no_underscores",
            RoleArn=ROLE,
            AppSpecification={"ImageUri": "job"},
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
        )
