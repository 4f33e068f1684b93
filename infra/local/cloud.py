"""The one object that the local cloud's modules share: its home, its time, what happened, what is under way."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from infra.local.clock import Clock
from infra.local.identity.authority import Authority
from infra.local.identity.sessions import OWN_KEY, Session
from infra.processes import Children

Event = dict[str, Any]
"""An event as EventBridge delivers it: version, id, detail-type, source, account, time, region, resources, detail."""
Route = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes] | None]
"""A WSGI application that returns None for a request that is not its own."""


@dataclass
class LocalCloud:
    """Modules know each other through AWS's own API (`client`) and events (`emit`, `subscribe`), not otherwise."""

    home: Path
    """Its folder: one sandbox a job, its log, its process id."""
    endpoint_url: str
    region: str
    account: str
    clock: Clock = field(default_factory=Clock)
    children: Children = field(default_factory=Children)
    """Its child processes; `infra.processes.spawn` starts one."""
    authority: Authority = field(init=False)
    """Whom the cloud asks whether a role or a service may do what it does."""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _making_client: threading.Lock = field(default_factory=threading.Lock)
    routes: list[Route] = field(default_factory=list)
    """Asked before moto, whose own way through takes 2 ms: for requests that come by the hundred a second."""
    _at_stop: list[Callable[[], None]] = field(default_factory=list)
    _before_settling: list[Callable[[], None]] = field(default_factory=list)
    _subscribers: list[Callable[[Event], None]] = field(default_factory=list)
    _under_way: dict[str, str] = field(default_factory=dict)
    _idle: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.authority = Authority(self.account, self.region, self.clock)

    def client(self, service: str, acting: Session | None = None) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A boto3 client of this cloud itself: one module calls another as any user would.

        One a service and session, shared by all threads: a client may be used by several threads, but not made by them.

        Args:
            service: by boto3's name.
            acting: the role in whose name to call; as the cloud itself, which may do anything, unless it is given.
        """
        keys = {"aws_access_key_id": OWN_KEY, "aws_secret_access_key": OWN_KEY} if acting is None else acting.keys
        with self._making_client:
            if (service, keys["aws_access_key_id"]) not in self._clients:
                self._clients[service, keys["aws_access_key_id"]] = boto3.client(
                    service, endpoint_url=self.endpoint_url, region_name=self.region, **keys
                )
            return self._clients[service, keys["aws_access_key_id"]]

    def emit(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str] | None = None) -> None:
        """Put an AWS service's event on the default event bus."""
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.account,
            "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": resources or [],
            "detail": detail,
        }
        for subscriber in self._subscribers:
            subscriber(event)

    def subscribe(self, subscriber: Callable[[Event], None]) -> None:
        """Have `subscriber` called with every event, in the emitter's thread: return soon, never raise."""
        self._subscribers.append(subscriber)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Have `callback` called when the cloud stops; the last one registered is called first."""
        self._at_stop.append(callback)

    def stop(self) -> None:
        """Call what was registered with `on_stop`, then end every child process."""
        try:
            with ExitStack() as callbacks:
                for callback in self._at_stop:
                    callbacks.callback(callback)
        finally:
            self.children.stop()

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Say that something with an end (a job, an execution, a delivery) is under way; `settle` waits for it."""
        key = str(uuid.uuid4())
        with self._idle:
            self._under_way[key] = what
        try:
            yield
        finally:
            with self._idle:
                del self._under_way[key]
                self._idle.notify_all()

    def start(self, what: str, work: Callable[[], None]) -> None:
        """Run `work` on a thread of its own; it counts as under way from before this returns."""
        entered = self.working(what)
        entered.__enter__()

        def run() -> None:
            try:
                work()
            finally:
                entered.__exit__(None, None, None)

        threading.Thread(target=run, name=what, daemon=True).start()

    def under_way(self) -> list[str]:
        """What is under way, in words."""
        with self._idle:
            return sorted(self._under_way.values())

    def before_settling(self, callback: Callable[[], None]) -> None:
        """Have `callback` write out what is held back for a while (a batch), whenever somebody waits for quiet."""
        self._before_settling.append(callback)

    def settle(self, timeout_seconds: float = 600) -> None:
        """Wait until nothing is under way.

        Raises:
            TimeoutError: something still is after `timeout_seconds`; the message names it.
        """
        self._wait_until_idle(timeout_seconds)
        for callback in self._before_settling:
            callback()  # of what was under way, too
        self._wait_until_idle(timeout_seconds)

    def _wait_until_idle(self, timeout_seconds: float) -> None:
        with self._idle:
            if not self._idle.wait_for(lambda: not self._under_way, timeout_seconds):
                raise TimeoutError(
                    f"still under way after {timeout_seconds:g} s: {', '.join(sorted(self._under_way.values()))}"
                )
