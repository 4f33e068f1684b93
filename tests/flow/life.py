"""A project on a local cloud of its own, driven by the same command lines as people and CI use."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from infra import toolchain
from infra.config import NewDataConfig, load_project
from infra.demo.cloud import DemoCloud
from infra.local import lifecycle
from infra.retraining.ledger import Ledger
from infra.session import client
from tests.flow.customers import labelled

MODEL = "churn"
CDKTF = str(toolchain.cli("cdktf"))
SAGESTACK = str(Path(sys.executable).with_name("sagestack"))
STACKS = ("local-platform", f"local-{MODEL}")
BEGIN = "2020-03-01"
ENVIRONMENT = """
prefix: flow
account: "123456789012"
region: us-east-1
endpoint_url: http://127.0.0.1:{port}
state: {{kind: file, directory: build/local/state}}
releases: build/local/releases
destroy_protection: false
"""
SETTINGS = """
training:
  instance: {type: ml.p3.8xlarge}
  hyperparameters: {num_iterations: 20, num_leaves: 7}
  gate: {minimum: 0.6}
endpoint: {scaling: {min: 1, max: 2}}
monitoring:
  drift: {schedule: daily, psi_threshold: 0.25, minimum_rows: 200}
  quality: {schedule: daily, baseline_margin: 0.1, label_delay_days: 1, minimum_rows: 200}
  explanations: {sample_rows: 100}
retraining:
  new_data: {minimum_rows: 2_000}
  cooldown_days: 0
  auto_approve: {minimum: 0.6, started_by: [drift, quality], max_a_month: 1}
"""


@dataclass(frozen=True)
class Call:
    """Something that was asked of IAM: in a role's name, or by a service."""

    role: str | None
    service: str | None
    action: str
    resources: tuple[str, ...]
    refused: str | None

    @classmethod
    def of(cls, record):
        """From CloudTrail's record of it."""
        identity, service = record["userIdentity"], record["eventSource"].removesuffix(".amazonaws.com")
        return cls(
            identity.get("sessionContext", {}).get("sessionIssuer", {}).get("userName"),
            identity.get("invokedBy"),
            f"{service}:{record['eventName']}",
            tuple(resource["ARN"] for resource in record["resources"]),
            record.get("errorMessage"),
        )


@dataclass
class Life:
    """The project, and what people and CI do with it."""

    project: object
    port: int
    variables: dict = field(default_factory=dict)

    @property
    def folder(self):
        return self.project.folder

    @property
    def log(self):
        return self.folder / "cdktf.log"

    @property
    def environment(self):
        return load_project("local", self.project.root).environment

    @property
    def names(self):
        return self.environment.names.model(MODEL)

    @property
    def cloud(self):
        return DemoCloud(lifecycle.find(self.folder / "build/local"), self.environment)

    def client(self, service):
        return client(self.environment, service)

    def sagestack(self, *arguments, **variables):
        """Run a `sagestack` command: exit code, standard output, standard error."""
        command = [SAGESTACK, *arguments]
        environment = os.environ | self.variables | variables
        answer = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        return answer.returncode, answer.stdout, answer.stderr

    def must(self, *arguments):
        code, out, err = self.sagestack(*arguments)
        assert code == 0, err
        return out

    def deploy(self, *stacks):
        alone = ["--ignore-missing-stack-dependencies"] if len(stacks) == 1 else []
        self.cdktf("deploy", *stacks, "--auto-approve", *alone)

    def cdktf(self, *arguments):
        toolchain.cdktf(arguments, folder=self.folder, log=self.log, variables=self.variables, steady=True)

    def killed(self, *command, when):
        """Run a command line, and kill it with its group when it prints a line with these words; its exit code."""
        with self.running(command, subprocess.PIPE) as process:
            next(line for line in process.stdout if all(word in line for word in when))
            os.killpg(process.pid, signal.SIGKILL)
            process.stdout.read()
        return process.returncode

    def running(self, command, output):
        """Start a command line in a session of its own."""
        return subprocess.Popen(
            [*command, *(["--no-color"] if command[0] == CDKTF else [])],
            cwd=self.folder,
            env=toolchain._environment() | toolchain._steadied() | self.variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def somebody_else_deploying(self, stack):
        """Terraform holds the state's lock while it waits for an answer, which is no in the end."""
        with subprocess.Popen(
            [toolchain.terraform(), "destroy", "-no-color"],
            cwd=self.folder / "cdktf.out/stacks" / stack,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            next(line for line in process.stdout if "There is no undo" in line)
            yield
            process.communicate("no\n")

    def changes(self, stack):
        """What a second plan would change, as Terraform tells it; empty if nothing."""
        answer = subprocess.run(
            [toolchain.terraform(), "plan", "-input=false", "-no-color", "-detailed-exitcode"],
            cwd=self.folder / "cdktf.out/stacks" / stack,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode in {0, 2}, answer.stdout + answer.stderr
        return answer.stdout if answer.returncode else ""

    def upload(self, month, **options):
        """Labelled data of a month arrives; what that starts has ended when this returns."""
        path = self.folder / "build" / f"2020-{month:02}.parquet"
        labelled(month, **options).write_parquet(path)
        bucket = self.environment.names.bucket("data")
        self.client("s3").upload_file(str(path), bucket, f"{self.names.data_prefix}{path.name}")
        self.cloud.settle()
        self.cloud.quiet_down(NewDataConfig())

    def approve(self, version):
        """A person approves a version."""
        self.must("approve", MODEL, str(version), "--why", "good enough", "--by", "ada")

    def cap_costs(self, usd):
        """What a month's runs may cost, once it is deployed."""
        self.project.model(MODEL, f"{SETTINGS}  max_usd_a_month: {usd}\n")

    def release(self, version):
        """Promote and deploy an approved version; what `verify` then says."""
        self.must("promote", MODEL, str(version), "--by", "grace")
        self.deploy(STACKS[1])
        return self.sagestack("verify", MODEL, "--by", "ada")

    def ask(self, rows):
        """Score customers of the world that has moved, under the inference id `moved`: the endpoint's answers."""
        body = labelled(3, rows=rows, moved=True).select("age", "visits").write_csv(include_header=False)
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.names.base,
            Body=body.encode(),
            ContentType="text/csv",
            Accept="text/csv",
            InferenceId="moved",
        )
        return [float(line) for line in answer["Body"].read().splitlines()]

    def tell_who_left(self, rows, *, hour):
        """The labels of those customers arrive in an hour (`yyyy/mm/dd/hh`)."""
        left = labelled(3, rows=rows, moved=True)["left"]
        truth = {
            "groundTruthData": {"data": "\n".join(map(str, left)), "encoding": "CSV"},
            "eventMetadata": {"eventId": "moved"},
            "eventVersion": "0",
        }
        bucket, key = self.environment.names.bucket("data"), f"{self.names.ground_truth_prefix}{hour}/labels.jsonl"
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(truth) + "\n")

    def decisions(self):
        return [decision for _, decision in self.cloud.decisions(MODEL)]

    def approvals(self):
        """Whether each version was approved without a person, and why or why not; the oldest first."""
        found = Ledger(self.environment, MODEL).approvals(100)
        return [(one["version"], one["approved"], one["reason"]) for one in reversed(found)]

    def live_configuration(self):
        return self.client("sagemaker").describe_endpoint(EndpointName=self.names.base)["EndpointConfigName"]

    def in_service(self):
        """Wait until the endpoint's update has ended."""
        waiter = self.client("sagemaker").get_waiter("endpoint_in_service")
        waiter.wait(EndpointName=self.names.base, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def registered(self):
        """The numbers of the model's versions, the oldest first."""
        found = self.client("sagemaker").list_model_packages(ModelPackageGroupName=self.names.base)
        return sorted(package["ModelPackageVersion"] for package in found["ModelPackageSummaryList"])

    def objects(self, bucket, prefix):
        """The texts of what lies in one of the environment's buckets below a prefix."""
        s3, name = self.client("s3"), self.environment.names.bucket(bucket)
        listed = s3.list_objects_v2(Bucket=name, Prefix=prefix).get("Contents", [])
        return [s3.get_object(Bucket=name, Key=one["Key"])["Body"].read().decode() for one in listed]

    def quality_reports(self):
        """The quality reports of every window, the oldest first."""
        texts = self.objects("registry", f"{MODEL}/quality/")
        return [json.loads(text) for text in texts]

    def calls(self):
        """What roles and services asked of IAM, as CloudTrail tells it."""
        pages = self.client("cloudtrail").get_paginator("lookup_events").paginate()
        told = [Call.of(json.loads(event["CloudTrailEvent"])) for page in pages for event in page["Events"]]
        return [call for call in told if call.role or call.service]

    def allowed(self):
        """The actions that each role's own policies allow."""
        iam, found = self.client("iam"), {}
        for name in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
            (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
            statements = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
            found[name] = {action for one in statements if one["Effect"] == "Allow" for action in one["Action"]}
        return found

    def grants_not_used(self):
        """What is granted though this life does not use it, by role; the reasons stand beside."""
        listed = yaml.safe_load(Path(__file__).with_name("grants_not_used.yaml").read_text(encoding="utf-8"))
        return {f"{self.names.base}-{role}": set(actions) for role, actions in listed.items()}

    def configurations(self):
        """Every endpoint configuration there is."""
        return {
            one["EndpointConfigName"] for one in self.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
        }


def begun(kind, project, settings):
    """A life of this kind in a project of one model, with a free port for its local cloud, which is not up yet."""
    (project.root / "models/flight-delay.yaml").unlink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    project.environment("local", ENVIRONMENT.format(port=port))
    project.model(MODEL, settings)
    app = f"{shlex.quote(sys.executable)} -m infra"
    project.write("cdktf.json", json.dumps({"language": "python", "app": app, "projectId": "flow", "context": {}}))
    return kind(project, port, {"SAGESTACK_ROOT": str(project.root), "SAGESTACK_ENV": "local"})
