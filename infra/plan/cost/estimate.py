"""A month of one model at list prices: what its endpoint and its jobs cost, at least and at most."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from infra.config import (
    AsynchronousEndpointConfig,
    BatchTransformConfig,
    InferencePipelineEndpointConfig,
    ModelConfig,
    MultiModelEndpointConfig,
    RealTimeEndpointConfig,
    ScheduledPolicy,
    ServerlessEndpointConfig,
    ShadowConfig,
    VariantConfig,
)
from infra.config.instance import InstanceConfig
from infra.config.scaling import FleetSize
from infra.naming import SHADOW_VARIANT
from infra.plan.cost.timetable import DAYS_A_MONTH, runs_a_month
from infra.prices import SERVERLESS_GB_SECOND, VOLUME_GB_MONTH, Price, Prices

HOURS_A_MONTH: Final = DAYS_A_MONTH * 24
MINUTES_AN_HOUR: Final = 60
MB_A_GB: Final = 1_024
TRAINING_JOBS: Final = 5
"""Of a pipeline run: validate, prepare, train, evaluate, baseline; each on a machine of its own."""


Range = tuple[float, float]
"""At least and at most, in a month."""


@dataclass(frozen=True)
class Assumptions:
    """What a model's file does not say.

    Attributes:
        job_minutes: how long each job runs.
        requests: how many a serverless endpoint answers in a month.
        request_ms: how long it takes for one.
    """

    job_minutes: float = 10
    requests: int = 1_000_000
    request_ms: float = 100


@dataclass(frozen=True)
class Line:
    """One thing that costs, in US dollars a month; both are None where a price is not known.

    Attributes:
        part: what it is for.
        what: of what there is how much.
        least: if as little runs as may.
        most: if as much runs as may.
        as_of: when the price was the list price.
    """

    part: str
    what: str
    least: float | None
    most: float | None
    as_of: str = ""


class Estimate:
    """The lines of one model in one region."""

    def __init__(self, model: ModelConfig, prices: Prices, assumptions: Assumptions) -> None:
        self._model, self._prices, self._assumed = model, prices, assumptions

    def lines(self) -> list[Line]:
        """Endpoint, variants and shadow, drift, quality, training."""
        return [*self._endpoint(), *self._monitoring(), *self._training()]

    def _endpoint(self) -> Iterator[Line]:
        settings = self._model.endpoint
        match settings:
            case ServerlessEndpointConfig():
                yield from self._serverless(settings)
            case BatchTransformConfig():
                runs = runs_a_month(settings.schedule)
                yield self._jobs("batch", settings.instance_type, settings.instances, (runs, runs))
            case RealTimeEndpointConfig():
                yield self._fleet("endpoint", settings.instance_type, *_bounds(settings.scaling))
                yield from self._beside(settings)
            case AsynchronousEndpointConfig() | MultiModelEndpointConfig() | InferencePipelineEndpointConfig():
                yield self._fleet("endpoint", settings.instance_type, *_bounds(settings.scaling))

    def _beside(self, settings: RealTimeEndpointConfig) -> Iterator[Line]:
        beside: dict[str, VariantConfig | ShadowConfig] = {one.name: one for one in settings.variants}
        if settings.shadow is not None:
            beside[SHADOW_VARIANT] = settings.shadow
        for name, one in beside.items():
            yield self._fleet(name, one.instance_type or settings.instance_type, one.instances, one.instances)

    def _fleet(self, part: str, instance_type: str, low: int, high: int) -> Line:
        many = f"{low}" if low == high else f"{low} to {high}"
        price = self._prices.instance_hour(instance_type)
        return _line(part, f"{many} x {instance_type}, all month", price, (low * HOURS_A_MONTH, high * HOURS_A_MONTH))

    def _serverless(self, settings: ServerlessEndpointConfig) -> Iterator[Line]:
        assumed, gigabytes = self._assumed, settings.memory_mb / MB_A_GB
        used = assumed.requests * assumed.request_ms / 1_000 * gigabytes
        what = f"{assumed.requests:,} requests of {assumed.request_ms:g} ms at {gigabytes:g} GB"
        yield _line("endpoint", what, self._prices.of(SERVERLESS_GB_SECOND), (used, used))
        if settings.provisioned_concurrency is not None:
            yield Line("warm", f"{settings.provisioned_concurrency} containers at {gigabytes:g} GB", None, None)

    def _monitoring(self) -> Iterator[Line]:
        for part in self._model.monitoring.watched:
            watched = getattr(self._model.monitoring, part)
            runs = runs_a_month(watched.schedule)
            yield from self._with_volumes(part, watched.instance, watched.instance.count, (runs, runs))

    def _training(self) -> Iterator[Line]:
        """As often as the calendar says at least, as often as the governor allows at most."""
        retraining = self._model.retraining
        most = float(retraining.max_runs_a_month)
        least = 0.0 if retraining.schedule is None else min(runs_a_month(retraining.schedule), most)
        asks = any(getattr(retraining, f"on_{part}") for part in self._model.monitoring.watched)
        asked = asks or retraining.new_data is not None
        runs = (least, most if asked else least)
        lines = list(self._with_volumes("training", self._model.training.instance, TRAINING_JOBS, runs))
        yield from lines if retraining.max_usd_a_month is None else _capped(lines, retraining.max_usd_a_month)

    def _with_volumes(self, part: str, machine: InstanceConfig, count: int, runs: Range) -> Iterator[Line]:
        yield self._jobs(part, machine.type, count, runs)
        if (price := self._prices.of(VOLUME_GB_MONTH)) is not None:
            least, most = (run * self._hours(count) / HOURS_A_MONTH * machine.volume_gb for run in runs)
            yield _line(part, f"volumes of {machine.volume_gb} GB while they run", price, (least, most))

    def _jobs(self, part: str, instance_type: str, count: int, runs: Range) -> Line:
        least, most = runs
        many = f"{least:.3g}" if least == most else f"{least:.3g} to {most:.3g}"
        what = f"{many} x {count} x {instance_type}, {self._assumed.job_minutes:g} minutes"
        hours = self._hours(count)
        return _line(part, what, self._prices.instance_hour(instance_type), (least * hours, most * hours))

    def _hours(self, count: int) -> float:
        return self._assumed.job_minutes / MINUTES_AN_HOUR * count


def _line(part: str, what: str, price: Price | None, amounts: Range) -> Line:
    if price is None:
        return Line(part, what, None, None)
    least, most = amounts
    return Line(part, what, price.usd * least, price.usd * most, price.as_of)


def _capped(lines: Sequence[Line], usd: float) -> Iterator[Line]:
    """No more than the governor lets all runs of a month cost together."""
    most = sum(line.most or 0 for line in lines)
    share = min(1.0, usd / most) if most else 1.0
    for line in lines:
        if line.least is None or line.most is None:
            yield line
        else:
            yield replace(line, least=line.least * share, most=line.most * share)


def _bounds(scaling: FleetSize) -> tuple[int, int]:
    """The fewest and the most instances that there may ever be."""
    scheduled = [policy.max for policy in scaling.policies if isinstance(policy, ScheduledPolicy)]
    return scaling.lowest, max([scaling.max, *scheduled])
