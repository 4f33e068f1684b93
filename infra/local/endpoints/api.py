"""Endpoints that serve: moto's handlers replaced by real serving processes, updated without a dropped request."""

import logging
from collections.abc import Callable, MutableMapping

from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends

from infra.local import listing
from infra.local.cloud import LocalCloud
from infra.local.endpoints import configs as endpoint_configs
from infra.local.endpoints.async_invocations import AsyncInvocations
from infra.local.endpoints.configuration_metrics import ConfigurationMetrics
from infra.local.endpoints.dispatch import Dispatcher
from infra.local.endpoints.endpoint import EVENT, EVENT_STATUS, Endpoint
from infra.local.endpoints.fleet import Fleet, FleetError
from infra.local.endpoints.invocations import Invocations
from infra.local.endpoints.metrics import EndpointMetrics
from infra.local.endpoints.retained import Retained
from infra.local.endpoints.rollout import Rollout, Rollouts
from infra.local.endpoints.rollout_plan import plan_of, require_same_variants
from infra.local.endpoints.runtime import Runtime
from infra.local.endpoints.variant import HEALTH_CHECK_SECONDS, Host
from infra.local.engine import Engine, ProcessEngine
from infra.local.jobs.job import require
from infra.local.jobs.job_runner import in_milliseconds
from infra.local.operations import replace_sagemaker
from infra.local.validation import Json, ValidationException

logger = logging.getLogger(__name__)


def install(
    cloud: LocalCloud, engine: Engine | None = None, health_check_seconds: float = HEALTH_CHECK_SECONDS
) -> None:
    """Replace moto's endpoint operations and InvokeEndpoint."""
    host = Host(cloud, engine or ProcessEngine(cloud), health_check_seconds)
    endpoints = Endpoints(host, sagemaker_backends[cloud.account][cloud.region].endpoints)
    replace_sagemaker(
        {
            "CreateEndpoint": endpoints.create,
            "UpdateEndpoint": endpoints.update,
            "UpdateEndpointWeightsAndCapacities": endpoints.update_weights_and_capacities,
            "DeleteEndpoint": endpoints.delete,
            "DescribeEndpoint": endpoints.describe,
            "ListEndpoints": endpoints.list_all,
        }
    )
    dispatcher = Dispatcher(cloud, endpoints)
    synchronous = Invocations(
        cloud, dispatcher, endpoints.metrics, ConfigurationMetrics(cloud, endpoints.are_two_answering)
    )
    asynchronous = AsyncInvocations(cloud, dispatcher, endpoints)
    runtime = Runtime({"invocations": synchronous.invoke, "async-invocations": asynchronous.invoke})
    cloud.routes.insert(0, runtime.route)
    cloud.before_settling(endpoints.flush)


class Endpoints:
    """The operations on endpoints; the endpoints lie in moto's store, so that tags and search find them."""

    def __init__(self, host: Host, store: MutableMapping[str, Endpoint]) -> None:
        self._host = host
        self._cloud = host.cloud
        self._store = store
        self._rollouts = Rollouts(host.cloud)
        self.metrics = EndpointMetrics(host.cloud)

    def serving_fleet(self, name: str) -> Fleet | None:
        """What an endpoint serves with; during an update, what it did before."""
        endpoint = self._store.get(name)
        return endpoint.fleet if endpoint else None

    def are_two_answering(self, name: str) -> bool:
        """Whether an endpoint's requests are shared by what serves and what takes over from it."""
        endpoint = self._store.get(name)
        return endpoint is not None and len(endpoint.traffic.fleets) > 1

    def next_fleet(self, name: str) -> Fleet | None:
        """What answers an endpoint's next request."""
        endpoint = self._store.get(name)
        return endpoint.traffic.next() if endpoint else None

    def flush(self) -> None:
        """Write out what was captured."""
        for endpoint in list(self._store.values()):
            for fleet in endpoint.traffic.fleets:
                if fleet.capture:
                    fleet.capture.flush()

    def create(self, request: Json) -> Json:
        """Begin to start an endpoint."""
        name = request["EndpointName"]
        arn = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:endpoint/{name}"
        fleet = self._fleet(name, request["EndpointConfigName"])
        deployment = request.get("DeploymentConfig")
        plan_of(deployment, fleet.sizes)
        now = self._cloud.clock.now()
        tags = list(request.get("Tags", []))
        endpoint = Endpoint(name, arn, request["EndpointConfigName"], now, deployment, tags)
        if self._store.setdefault(name, endpoint) is not endpoint:
            raise ValidationException(f'Cannot create already existing endpoint "{arn}".')
        self._begin("is created", endpoint, lambda: self._bring_up(endpoint, fleet))
        return {"EndpointArn": arn}

    def update(self, request: Json) -> Json:
        """Begin to replace the fleet by that of another configuration."""
        endpoint = self._find(request["EndpointName"])
        fleet = self._fleet(endpoint.name, request["EndpointConfigName"], Retained.of(request, endpoint.fleet))
        kept = endpoint.deployment_config if request.get("RetainDeploymentConfig") else None
        deployment = request.get("DeploymentConfig", kept)
        plan = plan_of(deployment, fleet.sizes)
        if endpoint.fleet:
            require_same_variants(plan, endpoint.fleet.variants, fleet.variants)
        endpoint.begin("Updating", self._cloud.clock.now())
        endpoint.deployment_config = deployment
        if endpoint.fleet is None:
            self._begin("is updated", endpoint, lambda: self._bring_up(endpoint, fleet))
        else:
            self._tell(endpoint)
            self._rollouts.begin(Rollout(self._cloud, endpoint, fleet, plan, lambda: self._tell(endpoint)))
        return {"EndpointArn": endpoint.arn}

    def update_weights_and_capacities(self, request: Json) -> Json:
        """Begin to give variants other weights and instance counts."""
        endpoint = self._find(request["EndpointName"])
        desired = request["DesiredWeightsAndCapacities"]
        fleet = endpoint.fleet
        for wish in desired:
            if fleet is None or wish["VariantName"] not in fleet.every_variant:
                raise ValidationException(f"Could not find variant {wish['VariantName']} of {endpoint.arn}")
            require("ServerlessUpdateConfig" not in wish, "ServerlessUpdateConfig; update the endpoint instead")
            if wish.get("DesiredInstanceCount", 1) < 1 and not fleet.is_asynchronous:
                raise ValidationException("DesiredInstanceCount must be at least 1")
            if "DesiredInstanceCount" in wish and not fleet.every_variant[wish["VariantName"]].has_instances:
                raise ValidationException(f"Variant {wish['VariantName']} is serverless: it has no instances.")
        endpoint.begin("Updating", self._cloud.clock.now())
        self._begin("is scaled", endpoint, lambda: self._scale(endpoint, desired))
        return {"EndpointArn": endpoint.arn}

    def delete(self, request: Json) -> None:
        """Begin to stop an endpoint."""
        endpoint = self._find(request["EndpointName"])
        endpoint.begin("Deleting", self._cloud.clock.now())
        self._begin("is deleted", endpoint, lambda: self._tear_down(endpoint))

    def describe(self, request: Json) -> Json:
        """Tell an endpoint's state."""
        return self._find(request["EndpointName"]).describe()

    def list_all(self, request: Json) -> Json:
        """List endpoints."""
        summaries = [endpoint.summary() for endpoint in list(self._store.values())]
        rows, token = listing.page(summaries, request, name="EndpointName", status="EndpointStatus")
        return {"Endpoints": rows, "NextToken": token}

    def _find(self, name: str) -> Endpoint:
        if name not in self._store:
            arn = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:endpoint/{name}"
            raise ValidationException(f'Could not find endpoint "{arn}".')
        return self._store[name]

    def _fleet(self, endpoint: str, config_name: str, retained: Retained | None = None) -> Fleet:
        try:
            config = self._cloud.client("sagemaker").describe_endpoint_config(EndpointConfigName=config_name)
        except ClientError as error:
            arn = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:endpoint-config/{config_name}"
            raise ValidationException(f'Could not find endpoint configuration "{arn}".') from error
        endpoint_configs.check(config)
        return Fleet(self._host, endpoint, retained.put_into(config) if retained else config)

    def _begin(self, what: str, endpoint: Endpoint, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                logger.exception("endpoint %s", endpoint.name)
                self._end(endpoint, "InService" if endpoint.fleet else "Failed", f"InternalServerError: {error}")

        self._tell(endpoint)
        self._cloud.start(f"endpoint {endpoint.name} {what}", run)

    def _bring_up(self, endpoint: Endpoint, fleet: Fleet) -> None:
        try:
            fleet.start()
        except FleetError as error:
            self._end(endpoint, "Failed", str(error))
            return
        endpoint.config_name = fleet.config["EndpointConfigName"]
        endpoint.traffic.settle_on(fleet)
        self._end(endpoint, "InService")

    def _scale(self, endpoint: Endpoint, desired: list[Json]) -> None:
        assert endpoint.fleet is not None  # noqa: S101 - checked when the request came
        for wish in desired:
            variant = endpoint.fleet.every_variant[wish["VariantName"]]
            variant.weight = wish.get("DesiredWeight", variant.weight)
            if "DesiredInstanceCount" in wish:
                variant.scale(wish["DesiredInstanceCount"])
                self.metrics.rescaled(endpoint.name, variant.name, variant.instances)
        self._end(endpoint, "InService")

    def _tear_down(self, endpoint: Endpoint) -> None:
        fleets = endpoint.traffic.fleets
        endpoint.traffic.settle_on(None)
        for fleet in fleets:
            fleet.retire()
        self.metrics.publish(endpoint.name)
        del self._store[endpoint.name]

    def _end(self, endpoint: Endpoint, status: str, reason: str | None = None) -> None:
        endpoint.end(status, self._cloud.clock.now(), reason)
        self._tell(endpoint)

    def _tell(self, endpoint: Endpoint) -> None:
        detail = in_milliseconds(endpoint.describe())
        detail["EndpointStatus"] = EVENT_STATUS.get(endpoint.status, endpoint.status.upper())
        self._cloud.emit("aws.sagemaker", EVENT, detail, [endpoint.arn])
