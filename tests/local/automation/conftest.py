"""A local cloud that begins in 2013, and what is at hand in it: queues, functions, time."""

import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3
import pytest

from infra.local import lifecycle

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/automation"
BEGIN = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass
class Automation:
    """The cloud, in a process of its own."""

    handle: lifecycle.Handle
    _clients: dict = field(default_factory=dict)

    def client(self, service):
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.handle.endpoint_url,
                region_name=REGION,
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106 - nobody checks it
            )
        return self._clients[service]

    def now(self):
        return datetime.fromisoformat(self.handle.status()["clock"])

    def advance(self, **by):
        self.handle.advance_by(**by)

    def settle(self):
        self.handle.settle(60)

    @staticmethod
    def open_to_rules(action, arn):
        """A resource's policy that lets EventBridge's rules do something to it."""
        allowed = {"Principal": {"Service": "events.amazonaws.com"}, "Action": action, "Resource": arn}
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **allowed}]})

    def queue(self, name):
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        policy = self.open_to_rules("sqs:SendMessage", arn)
        self.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})
        return arn

    def topic(self, name):
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        self.client("sns").create_topic(Name=name, Attributes={"Policy": self.open_to_rules("sns:Publish", arn)})
        return arn

    def received(self, queue):
        """The messages of a queue, which is empty afterwards: body and attributes."""
        sqs, found = self.client("sqs"), []
        url = sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
        ask = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        while messages := sqs.receive_message(**ask).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                given = message.get("MessageAttributes", {})
                attributes = {name: value["StringValue"] for name, value in given.items()}
                found.append((message["Body"], attributes))
        return found

    def bodies(self, queue):
        return [json.loads(body) for body, _ in self.received(queue)]

    def function(self, name, source, **more):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("main.py", source)
        given = {"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", "Timeout": 20} | more
        made = self.client("lambda").create_function(FunctionName=name, Code={"ZipFile": archive.getvalue()}, **given)
        self.client("lambda").add_permission(
            FunctionName=name, StatementId="rules", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
        )
        return made["FunctionArn"]

    def logged(self, function):
        """Everything a function has printed, and Lambda about it."""
        logs, group = self.client("logs"), f"/aws/lambda/{function}"
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        pages = [logs.get_log_events(logGroupName=group, logStreamName=s["logStreamName"]) for s in streams]
        return [event["message"] for page in pages for event in page["events"]]

    def rule(self, name, pattern, *targets, **more):
        events = self.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), **more)
        given = [t if isinstance(t, dict) else {"Arn": t} for t in targets]
        events.put_targets(Rule=name, Targets=[{"Id": str(n), **target} for n, target in enumerate(given)])


@pytest.fixture(scope="session")
def automation(tmp_path_factory, new_role):
    """One cloud for the folder: give what you make in it a name of its own."""
    home = tmp_path_factory.mktemp("automation")
    handle = lifecycle.start(lifecycle.Settings(home, account=ACCOUNT, region=REGION, begin=BEGIN))
    cloud = Automation(handle)
    new_role(cloud.client("iam"), "automation")
    yield cloud
    handle.stop()
