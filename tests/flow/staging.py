"""A project whose models are one JSON file each, which says how to behave: versions are registered, not trained."""

import io
import json
import os
import signal
import subprocess
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from types import SimpleNamespace

import psutil

from infra.demo.leftovers import leftovers
from infra.local import lifecycle
from tests.flow.life import MODEL, STACKS, Life, begun
from tests.local.conftest import FakeSettings

CANARY = """
endpoint:
  scaling: {min: 2, max: 2}
  rollout: {kind: canary, percent: 10}
monitoring: {drift: null}
retraining: {on_drift: false}
"""
TAG = "0123456789abcdef"
KILLED = -signal.SIGKILL
NOTHING = SimpleNamespace(changes="", orphans=[], processes=[])
"""Is what is left by deploys that have converged."""
MOST_MINUTES = 30
AUTHORIZED = {"Authorization": "AWS4-HMAC-SHA256 Credential=local/20130101/us-east-1/sagemaker/aws4_request"}
A_MINUTES_REQUESTS_SECONDS = 0.2
"""Before a minute is passed: callers, if there are any, have asked in it."""
BREATH_SECONDS = 0.05
"""Between two requests of a caller: the deploy needs the machine too."""


@contextmanager
def staged(project, settings=CANARY):
    """Such a project, and its local cloud of small programs for images, which is down in the end."""
    staging = begun(Staging, project, settings)
    cloud = lifecycle.start(FakeSettings(staging.folder / "build/local", staging.port))
    try:
        yield staging
    finally:
        cloud.stop()


def archive(behaviour):
    """A model's artifact."""
    buffer, content = io.BytesIO(), json.dumps(behaviour).encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Staging(Life):
    """What people do with such a project, and what there is to see of it."""

    def register(self, name, **behaviour):
        """Register an approved version, as a pipeline and a person do."""
        bucket, key = self.environment.names.bucket("registry"), f"{MODEL}/runs/{name}/model.tar.gz"
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=archive({"name": name, **behaviour}))
        container = {"Image": self.environment.names.image("serving", TAG), "ModelDataUrl": f"s3://{bucket}/{key}"}
        told = ("baseline_uri", "evaluation_uri", "trained_on", "data_fingerprint", "started_by", "approved_by")
        self.client("sagemaker").create_model_package(
            ModelPackageGroupName=self.names.base,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            CustomerMetadataProperties=dict.fromkeys(told, name),
        )

    def lock(self):
        """The model's release lock."""
        return json.loads((self.folder / "build/local/releases" / f"{MODEL}.json").read_text(encoding="utf-8"))

    def promoted(self, version):
        """Promote and deploy a version: exit code, standard output, standard error."""
        self.must("promote", MODEL, str(version))
        return self.sagestack("deploy", MODEL)

    def calm(self):
        """Let minutes pass until no rollback alarm is raised: it would take the next update back at once."""
        self._pass_minutes(until=lambda: not self.raised())

    def alarmed(self):
        """Let minutes pass until a rollback alarm is raised."""
        self._pass_minutes(until=self.raised)

    def raised(self):
        """The rollback alarms that are raised."""
        names = [f"{self.names.base}-{what}" for what in ("errors", "latency")]
        alarms = self.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        return [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]

    def _pass_minutes(self, until):
        for _ in range(MOST_MINUTES):
            if until():
                return
            time.sleep(A_MINUTES_REQUESTS_SECONDS)
            self.cloud.advance(self.cloud.now() + timedelta(minutes=1))
        raise TimeoutError(f"{self.raised() or 'no alarm'} is raised after {MOST_MINUTES} minutes")

    def answers(self, requests=10):
        """The names of the models that answer."""
        runtime = self.client("sagemaker-runtime")
        asked = (runtime.invoke_endpoint(EndpointName=self.names.base, Body=b"1,2") for _ in range(requests))
        return {json.loads(answer["Body"].read())["model"] for answer in asked}

    @contextmanager
    def callers(self, number, breath_seconds=BREATH_SECONDS, body=b"1,2"):
        """Callers who never stop asking: the answers as they come, each a model's name or an error's status."""
        answers, over = [], threading.Event()

        def ask():
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
                while not over.wait(breath_seconds):
                    connection.request("POST", f"/endpoints/{self.names.base}/invocations", body, AUTHORIZED)
                    response = connection.getresponse()
                    answer = response.read()
                    answers.append(json.loads(answer)["model"] if response.status == 200 else response.status)

        with ThreadPoolExecutor(number) as pool:
            asking = [pool.submit(ask) for _ in range(number)]
            try:
                yield answers
            finally:
                over.set()
        for caller in asking:
            caller.result()

    def killed_in_synth(self, *command):
        """Run a command line, and kill it with its group while the project's code runs; its exit code."""
        with self.running(command, subprocess.DEVNULL) as process:
            while not any(line.endswith("-m infra") for line in self.processes()):
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGKILL)
        return process.returncode

    def orphans(self, *stacks):
        """What exists, and is in no stack's state."""
        known = set()
        for stack in stacks:
            state = json.loads((self.folder / "build/local/state" / f"{stack}.tfstate").read_text())
            instances = [instance for resource in state["resources"] for instance in resource["instances"]]
            known |= {value for one in instances for value in one["attributes"].values() if isinstance(value, str)}
        return [found for found in leftovers(self.environment) if found.partition(": ")[2] not in known]

    def left(self, *stacks):
        """Once deploys have ended: what there is to change in these stacks, is in no state, or still runs."""
        return SimpleNamespace(
            changes="".join(map(self.changes, stacks)), orphans=self.orphans(*STACKS), processes=self.processes()
        )

    def processes(self):
        """The command lines that run in the project's folders, those of its cloud apart."""
        running = []
        for process in psutil.process_iter(["cmdline", "cwd"]):
            where = process.info["cwd"] or ""
            if where.startswith(str(self.folder)) and not where.startswith(str(self.folder / "build/local")):
                running.append(" ".join(process.info["cmdline"] or ()))
        return running
