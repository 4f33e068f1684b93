"""The images do under a real engine what the local cloud has their code do in processes."""

import json
import subprocess
import tarfile
import time
import urllib.request
from datetime import UTC, datetime

import pytest

from infra.config import load_project
from infra.demo import flights
from infra.pipelines.job_spec import (
    drift_spec,
    monitoring_environment,
    monitoring_spec,
    training_environment,
    training_spec,
)
from infra.session import client
from monitoring import contract as monitoring
from serving import contract as serving
from training import contract as training

pytestmark = pytest.mark.containers

ROWS = 3_000
PROJECT = load_project("local")
MODEL = PROJECT.models["flight-delay"]
NAMES = PROJECT.environment.names.model(MODEL.name)


class Container:
    """Runs images with a folder of this machine as their /opt/ml."""

    def __init__(self, engine, image, ml):
        self.engine, self.image, self.ml = engine, image, ml

    def run(self, image, *command, environment=None, network="none"):
        """The output of a container that must succeed."""
        variables = [word for name, value in (environment or {}).items() for word in ("--env", f"{name}={value}")]
        done = subprocess.run(
            [
                *self.engine,
                "run",
                "--rm",
                "--network",
                network,
                "--volume",
                f"{self.ml}:/opt/ml",
                *variables,
                self.image(image),
                *command,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processing(self, path):
        folder = self.ml / "processing" / path
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@pytest.fixture(scope="module")
def trained(engine, image, tmp_path_factory):
    """The training image prepared real flights and trained on them."""
    container = Container(engine, image, tmp_path_factory.mktemp("ml"))
    for month in (1, 2):
        sample = flights.month(month).gather_every(9)
        sample.write_parquet(container.processing(training.DATA_INPUT) / f"{flights.partition(month)}.parquet")
    environment = training_environment(training_spec(MODEL))
    container.run("training", training.PREPARE_COMMAND, environment=environment)
    for channel, output in (
        (training.TRAIN_CHANNEL, training.TRAIN_OUTPUT),
        (training.VALIDATION_CHANNEL, training.VALIDATION_OUTPUT),
    ):
        folder = container.ml / "input" / "data" / channel
        folder.parent.mkdir(parents=True, exist_ok=True)
        container.processing(output).rename(folder)
    for folder in ("model", "output", "input/config"):
        (container.ml / folder).mkdir(parents=True, exist_ok=True)
    container.run("training", training.TRAIN_COMMAND, environment=environment)
    return container


def test_the_training_image_trains_and_evaluates(trained):
    archive(trained, trained.processing(training.MODEL_INPUT))
    trained.processing(training.TEST_OUTPUT).rename(trained.processing(training.TEST_INPUT))
    trained.processing(training.PREPARED_OUTPUT).rename(trained.processing(training.PREPARED_INPUT))
    trained.run("training", training.EVALUATE_COMMAND, environment=training_environment(training_spec(MODEL)))
    evaluation = json.loads((trained.processing(training.EVALUATION_OUTPUT) / training.EVALUATION_FILE).read_text())
    assert evaluation["metrics"]["auc"] > 0.6
    assert evaluation["trained_on"] == "2013-01 2013-02"


def test_the_serving_image_answers_and_stops_when_told_to(trained, free_port):
    name = f"sagestack-test-{free_port}"
    command = [*trained.engine, "run", "--detach", "--name", name, "--network", "host", "--read-only", "--volume"]
    variables = ["--env", f"{serving.PORT_VARIABLE}={free_port}", "--env", f"{serving.HOST_VARIABLE}=127.0.0.1"]
    subprocess.run(
        [*command, f"{trained.ml}/model:/opt/ml/model:ro", *variables, trained.image("serving"), "serve"],
        check=True,
        capture_output=True,
    )
    try:
        url = f"http://127.0.0.1:{free_port}"
        healthy(f"{url}{serving.PING_PATH}")
        rows = flights.month(3).head(50).select(*MODEL.features.numeric, *MODEL.features.categorical)
        request = urllib.request.Request(
            f"{url}{serving.INVOCATIONS_PATH}",
            rows.write_csv(include_header=False).encode(),
            {"Content-Type": serving.CSV, "Accept": serving.CSV},
        )
        with urllib.request.urlopen(request) as answer:
            scores = [float(line) for line in answer.read().split()]
        assert len(scores) == len(rows)
        assert len(set(scores)) > 1
        assert all(0 <= score <= 1 for score in scores)
        subprocess.run([*trained.engine, "stop", "--time", "30", name], check=True, capture_output=True)
        inspected = subprocess.run(
            [*trained.engine, "inspect", "--format", "{{.State.ExitCode}}", name],
            check=True,
            capture_output=True,
            text=True,
        )
        assert inspected.stdout.strip() == "0"
    finally:
        subprocess.run([*trained.engine, "rm", "--force", name], check=True, capture_output=True)


def test_the_monitoring_image_validates_computes_a_baseline_and_reports_drift(trained, cloud):
    archive(trained, trained.processing(monitoring.MODEL_INPUT))
    environment = monitoring_environment(monitoring_spec(MODEL))
    trained.run("monitoring", monitoring.VALIDATE_COMMAND, environment=environment)
    validation = json.loads((trained.processing(monitoring.VALIDATION_OUTPUT) / monitoring.VALIDATION_FILE).read_text())
    assert validation["passed"]
    trained.run("monitoring", monitoring.BASELINE_COMMAND, environment=environment)
    trained.processing(monitoring.BASELINE_OUTPUT).rename(trained.processing(monitoring.BASELINE_INPUT))

    bucket, _, prefix = NAMES.capture_uri.removeprefix("s3://").partition("/")
    s3 = client(PROJECT.environment.model_copy(update={"endpoint_url": cloud.endpoint_url}), "s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=f"{prefix}/{NAMES.base}/main/2013/07/10/00/captured.jsonl", Body=captured(month=7))
    trained.run(
        "monitoring",
        monitoring.DRIFT_COMMAND,
        network="host",
        environment=monitoring_environment(drift_spec(MODEL, NAMES, 1))
        | {
            monitoring.WINDOW_END_VARIABLE: "2013-08-01T06:00:00Z",
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        },
    )
    report = json.loads((trained.processing(monitoring.REPORT_OUTPUT) / monitoring.DRIFT_REPORT_FILE).read_text())
    assert report["records"]["rows"] == ROWS
    assert report["status"] == "drift"
    assert "temp" in report["drifted_features"]


def archive(trained, folder):
    with tarfile.open(folder / training.MODEL_ARCHIVE, "w:gz") as tar:
        for file in sorted((trained.ml / "model").iterdir()):
            tar.add(file, file.name)


def captured(month):
    """One capture record of many rows, as SageMaker writes it."""
    rows = flights.month(month).head(ROWS).select(*MODEL.features.numeric, *MODEL.features.categorical)
    sent = {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": rows.write_csv(include_header=False),
        "encoding": "CSV",
    }
    answered = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "0.2\n" * len(rows), "encoding": "CSV"}
    moment = datetime(2013, month, 10, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = {
        "captureData": {"endpointInput": sent, "endpointOutput": answered},
        "eventMetadata": {"eventId": "00000000-0000-0000-0000-000000000001", "inferenceTime": moment},
        "eventVersion": "0",
    }
    return json.dumps(record) + "\n"


def healthy(url):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer within 30 s")
