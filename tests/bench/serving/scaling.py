"""What a second worker costs: CPU time a request of one worker, of two, and of two servers that share nothing.

The last is what the machine itself takes for two busy cores instead of one. They take turns, since a machine's pace
changes from minute to minute, and the medians of the turns' ratios are told.
"""

# ruff: noqa: T201 - a bench prints

import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from tests.bench.serving.load import first_answer, free_port, running, write_script, wrk
from tests.bench.serving.workload import payloads

TURNS = 7
CONNECTIONS = 16
PAYLOADS = ("csv1", "csv100")


def scaling(folder, rows, one, two):
    """By payload: the CPU time a request of `two` workers, and of two servers like `one`, in times that of `one`."""
    known = payloads(rows)
    with ExitStack() as stack:
        started = [stack.enter_context(serving(folder, known, server)) for server in (one, one, two)]
        for name in PAYLOADS:
            script = write_script(folder, known[name])
            turns = [turn(script, *started) for _ in range(TURNS)]
            print(f"{name}: {turns}", file=sys.stderr)
            workers, servers = (statistics.median(column) for column in zip(*turns, strict=True))
            yield {"payload": name, "two_workers": round(workers, 2), "two_servers": round(servers, 2)}


def turn(script, first, second, two):
    alone = cost(script, *first, CONNECTIONS)
    workers = cost(script, *two, CONNECTIONS)
    with ThreadPoolExecutor() as pool:
        servers = list(pool.map(lambda server: cost(script, *server, CONNECTIONS // 2), (first, second)))
    return round(workers / alone, 2), round(statistics.mean(servers) / alone, 2)


def cost(script, port, pid, connections):
    return wrk(port, script, connections, pid)["cpu_us"]


@contextmanager
def serving(folder, known, server):
    """A server that answers: its port and its process id."""
    port = free_port()
    log = folder / f"log-{port}"
    with running(server["command"], {**server["environment"], "SAGEMAKER_BIND_TO_PORT": port}, log) as process:
        first_answer(process, port, known["json1"], log)
        yield port, process.pid
