"""Every resource type that the stacks use, through real Terraform: applied, planned again, changed, destroyed."""

import json
import signal
import tarfile
import zipfile
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from serving.core.signature import Input, Signature, sha256, write_signature

pytestmark = pytest.mark.local_cloud
EVERYTHING = Path(__file__).with_name("round_trip.tf.json")
LISTS = (
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets"),
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("cloudwatch", "describe_alarms", "CompositeAlarms"),
    ("cloudwatch", "list_dashboards", "DashboardEntries"),
    ("dynamodb", "list_tables", "TableNames"),
    ("ecr", "describe_repositories", "repositories"),
    ("events", "list_rules", "Rules"),
    ("iam", "list_roles", "Roles"),
    ("lambda", "list_functions", "Functions"),
    ("logs", "describe_log_groups", "logGroups"),
    ("s3", "list_buckets", "Buckets"),
    ("sagemaker", "list_endpoints", "Endpoints"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs"),
    ("sagemaker", "list_models", "Models"),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList"),
    ("sagemaker", "list_pipelines", "PipelineSummaries"),
    ("scheduler", "list_schedules", "Schedules"),
    ("secretsmanager", "list_secrets", "SecretList"),
    ("sns", "list_topics", "Topics"),
    ("sqs", "list_queues", "QueueUrls"),
    ("ssm", "describe_parameters", "Parameters"),
)
ASKED = {
    "describe_scalable_targets": {"ServiceNamespace": "sagemaker"},
    "describe_alarms": {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
}
"""What an operation wants to be told."""


@pytest.fixture(scope="module")
def cloud(module_cloud):
    """A cloud of this module's own, so that what is left in it is what Terraform left."""
    return module_cloud


def write_model(folder):
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 2))
    data = lightgbm.Dataset(rows, (rows[:, 0] > 0).astype(float), params={"verbosity": -1})
    lightgbm.train({"objective": "binary", "verbosity": -1}, data, 2).save_model(folder / "model.txt")
    signature = Signature(
        model="round-trip",
        problem="binary-classification",
        library_version=lightgbm.__version__,
        model_file="model.txt",
        model_sha256=sha256((folder / "model.txt").read_bytes()),
        inputs=(Input("a", "numeric"), Input("b", "numeric")),
        threshold=0.5,
    )
    write_signature(signature, folder)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        for name in ("model.txt", "signature.json"):
            archive.add(folder / name, name)


def write_code(folder):
    with zipfile.ZipFile(folder / "code.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("governor.py"), "def handler(event, context): return event")


def leftovers(cloud):
    found = {}
    for service, operation, key in LISTS:
        found[service, key] = getattr(cloud.client(service), operation)(**ASKED.get(operation, {})).get(key)
    # As on AWS, what an endpoint has said outlives it.
    groups = found["logs", "logGroups"]
    found["logs", "logGroups"] = [group for group in groups if not group["logGroupName"].startswith("/aws/sagemaker/")]
    # The roles that every cloud of the tests has.
    found["iam", "Roles"] = [role for role in found["iam", "Roles"] if role["RoleName"] not in {"jobs", "local"}]
    return {kind: things for kind, things in found.items() if things}


def test_everything_comes_back_as_it_was_written_and_goes_without_a_trace(cloud, terraform):
    write_model(terraform.folder)
    write_code(terraform.folder)
    configuration = json.loads(EVERYTHING.read_text())
    terraform.write(configuration)
    terraform.apply()
    assert terraform.changes() == ""
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="round-trip", ContentType="text/csv", Body=b"1,2\n"
    )
    assert 0 < float(answer["Body"].read()) < 1

    text = EVERYTHING.read_text().replace('{"owner": "round-trip"}', '{"owner": "somebody-else", "more": "tags"}')
    terraform.write(json.loads(text))
    terraform.apply()
    assert terraform.changes() == ""

    terraform.destroy()
    assert leftovers(cloud) == {}


def test_an_apply_that_was_interrupted_is_finished_by_the_next(terraform):
    buckets = {f"b{number}": {"bucket": f"interrupted-{number}"} for number in range(30)}
    after = {"depends_on": [f"aws_s3_bucket.{name}" for name in buckets]}
    groups = {f"g{number}": {"model_package_group_name": f"interrupted-{number}", **after} for number in range(5)}
    resources = {"aws_s3_bucket": buckets, "aws_sagemaker_model_package_group": groups}
    terraform.write({"resource": resources})
    with terraform.start("apply", "-auto-approve") as process:
        for line in process.stdout:
            if "Creation complete" in line:
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
    assert process.returncode != 0
    terraform.apply()
    assert terraform.changes() == ""
