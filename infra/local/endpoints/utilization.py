"""How busy the instances of a variant are: what their processes take of this machine, published each minute.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from infra.local.cloud import LocalCloud
from infra.local.endpoints.concurrency import datum
from infra.local.endpoints.quiet import LONE_QUIET_MINUTES, QUIET_MINUTES, Key, Quiet
from infra.local.validation import Json

NAMESPACE: Final = "/aws/sagemaker/Endpoints"
SHORTEST_SECONDS: Final = 0.5
"""Of a measurement: where the clock is moved on, hardly any of the machine's time goes by between two minutes."""


@dataclass(frozen=True)
class Running:
    """A variant at a moment: how many instances it says that it has, and the processes that stand in for them."""

    instances: int
    processes: tuple[int, ...]


class Utilization:
    """Publishes for a while after each request, start or change of capacity, as `Quiet` does, and for its reasons."""

    def __init__(self, cloud: LocalCloud, key: Key, folder: Path, running: Callable[[], Running]) -> None:
        self._cloud, self._key, self._folder, self._running = cloud, key, folder, running
        self._measured = Measured()
        self._minute: datetime | None = None
        self._quiet = Quiet(cloud.clock, self._publish)

    def awake(self) -> None:
        """Publish this minute when it is over, and those after it."""
        minute = self._cloud.clock.now().replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            several = self._running().instances > 1
            self._quiet.begin(self._key, minute, QUIET_MINUTES if several else LONE_QUIET_MINUTES)

    def end(self) -> None:
        """Publish no more."""
        self._quiet.end(self._key)

    def _publish(self, key: Key, minute: datetime) -> None:
        running = self._running()
        if not running.instances:
            return
        taken = self._measured.taken(running.processes) | {
            "DiskUtilization": psutil.disk_usage(str(self._existing())).percent * running.instances
        }
        spread = {name: _spread(total, running.instances) for name, total in taken.items()}
        data = [datum(key, minute, (name, "Percent"), values) for name, values in spread.items()]
        self._cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def _existing(self) -> Path:
        return self._folder if self._folder.exists() else self._cloud.home


@dataclass
class Measured:
    """What processes have taken, and those that they have started."""

    _since: float = field(default_factory=time.monotonic)
    _looked: float = 0.0
    _tree: dict[int, psutil.Process] = field(default_factory=dict)
    _cpu_seconds: dict[int, float] = field(default_factory=dict)

    def taken(self, roots: Iterable[int]) -> dict[str, float]:
        """CPU since this was last asked, 100 for each processor; memory now, in per cent of this machine's."""
        now = time.monotonic()
        elapsed, self._since = max(now - self._since, SHORTEST_SECONDS), now
        if now - self._looked >= SHORTEST_SECONDS:
            self._looked, self._tree = now, {process.pid: process for process in _with_descendants(roots)}
        used, rss = {}, 0
        for pid, process in self._tree.items():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used[pid] = times.user + times.system
                rss += process.memory_info().rss
        before, self._cpu_seconds = self._cpu_seconds, used
        seconds = sum(value - before.get(pid, 0.0) for pid, value in used.items())
        return {
            "CPUUtilization": 100 * seconds / elapsed,
            "MemoryUtilization": 100 * rss / psutil.virtual_memory().total,
        }


def _with_descendants(roots: Iterable[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in roots:
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            found += [root, *root.children(recursive=True)]
    return found


def _spread(total: float, instances: int) -> Json:
    """A sample for each instance: together they take `total`, and which takes what share is not told apart."""
    each = total / instances
    return {"SampleCount": instances, "Sum": total, "Minimum": each, "Maximum": each}
