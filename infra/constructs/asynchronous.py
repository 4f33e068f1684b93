"""Asynchronous endpoints: requests wait in a queue, answers land in S3, topics tell of them."""

from collections.abc import Mapping
from typing import Any

from infra.config import AsynchronousEndpointConfig, BacklogScalingConfig, RolloutConfig
from infra.constructs import pictures
from infra.constructs.alarms import EndpointAlarms
from infra.constructs.captured_fleet import fleet
from infra.constructs.dashboard import HOUR, Picture
from infra.constructs.hosting import Arguments, Hosting
from infra.constructs.metrics import endpoint_metric, queue_metric
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.naming import VARIANT, ModelNames
from infra.provider import Construct, Resource, aws

FIVE_MINUTES = 300
OLDEST = "ApproximateAgeOfOldestRequest"
TOPICS = {"success_topic": "succeeded", "error_topic": "failed"}


class AsynchronousHosting(Hosting):
    """A fleet that works a queue off; requests and answers stand in the data bucket, below the model's own folder.

    Metrics: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
    """

    def __init__(self, names: ModelNames, platform: Platform, settings: AsynchronousEndpointConfig) -> None:
        super().__init__(names, platform)
        self._settings = settings
        told = settings.notifications
        self._told = {"success_topic": told.success, "error_topic": told.error}

    @property
    def scaling(self) -> BacklogScalingConfig:
        """As the owner says."""
        return self._settings.scaling

    @property
    def rollout(self) -> RolloutConfig:
        """As the owner says."""
        return self._settings.rollout

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The one type of its fleet."""
        return (self._settings.instance_type,)

    def content(self) -> list[Any]:
        """The fleet, its concurrency and the topics."""
        settings = self._settings
        return [settings.instance_type, settings.scaling.initial_count, settings.max_concurrent_invocations, self._told]

    def configuration(self, model: str, versions: Mapping[int, str]) -> Arguments:
        """One variant, and where answers, failures and notices go."""
        del versions
        settings = self._settings
        told = {argument: self._topic_arn(name) for argument, name in TOPICS.items() if self._told[argument]}
        output = {
            "s3_output_path": self.names.asynchronous_uri("answers"),
            "s3_failure_path": self.names.asynchronous_uri("failures"),
            "kms_key_id": self.platform.key.arn,
            "notification_config": told or None,
        }
        return {
            "production_variants": [
                fleet(
                    VARIANT,
                    model,
                    instance_type=settings.instance_type,
                    instances=settings.scaling.initial_count,
                )
            ],
            "async_inference_config": {
                "client_config": {"max_concurrent_invocations_per_instance": settings.max_concurrent_invocations},
                "output_config": output,
            },
        }

    def grant(self, role: ServiceRole) -> None:
        """Read requests, write answers and failures, tell the topics."""
        folder = self.names.asynchronous_prefix
        self.platform.data.grant_read(role, f"{folder}/requests/")
        for part in ("answers", "failures"):
            self.platform.data.grant_write(role, f"{folder}/{part}/")
        self.platform.key.grant_outputs(role)
        role.grant(allow(["sns:Publish"], [self._topic_arn(name) for name in TOPICS.values()]))

    def declare(self, scope: Construct) -> list[Resource]:
        """The topics, encrypted; both, since the configuration that a rollback goes back to may name them."""
        return [
            aws.SnsTopic(scope, name, name=f"{self.names.base}-{name}", kms_master_key_id=self.platform.key.arn)
            for name in TOPICS.values()
        ]

    def alarms(self, alarms: EndpointAlarms) -> None:
        """Errors, requests lost, and a queue that grows or stands."""
        settings, endpoint = self._settings.alarms, alarms.endpoint
        alarms.errors(settings.max_error_percent)
        alarms.add(
            "failures",
            endpoint_metric("InvocationFailures", endpoint, "Sum"),
            comparison="above",
            threshold=settings.max_failures,
            period_seconds=FIVE_MINUTES,
            periods=1,
            datapoints=1,
            description=f"More than {settings.max_failures} requests to {endpoint} ended without an answer.",
            severity="critical",
            runbook="asynchronous-failures",
            takes_back="errors",
        )
        alarms.add(
            "backlog",
            queue_metric("ApproximateBacklogSize", endpoint, "Maximum"),
            comparison="above",
            threshold=settings.max_backlog,
            description=f"More than {settings.max_backlog} requests to {endpoint} wait.",
            severity="warning",
            runbook="asynchronous-backlog",
        )
        alarms.add(
            "age",
            queue_metric(OLDEST, endpoint, "Maximum"),
            comparison="above",
            threshold=settings.max_age_seconds,
            description=f"A request to {endpoint} has waited for over {settings.max_age_seconds:g} s.",
            severity="warning",
            runbook="asynchronous-backlog",
        )

    def pictures(self) -> list[Picture]:
        """The queue, its age, what became of requests, how long they took, and the fleet."""
        endpoint = self.names.base
        lost = ("InvocationFailures", "ExpiredRequests", "NotificationFailures")
        took = [endpoint_metric(name, endpoint, "Average") for name in ("TimeInBacklog", "TotalProcessingTime")]
        return [
            Picture("Requests that were worked on", HOUR, [endpoint_metric("InvocationsProcessed", endpoint, "Sum")]),
            Picture("Requests that wait", HOUR, [queue_metric("ApproximateBacklogSize", endpoint, "Maximum")]),
            Picture("Oldest request (seconds)", HOUR, [queue_metric(OLDEST, endpoint, "Maximum")]),
            Picture("Failures", HOUR, [endpoint_metric(name, endpoint, "Sum") for name in lost]),
            pictures.errors(endpoint),
            pictures.latency(endpoint),
            Picture("Time of a request (milliseconds)", HOUR, took),
            *pictures.fleet(endpoint, {VARIANT: self._settings.instance_type}, self.names.environment.region),
        ]

    def _topic_arn(self, name: str) -> str:
        environment = self.names.environment
        return f"arn:aws:sns:{environment.region}:{environment.account}:{self.names.base}-{name}"
