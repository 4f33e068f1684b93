"""Load for minutes on end: does memory stay flat? (`make bench-serving-soak`)"""

# ruff: noqa: T201 - a bench prints

from tests.bench.serving.load import first_answer, free_port, rss_mb, running, write_script, wrk
from tests.bench.serving.workload import payloads

ROUND_SECONDS = 10
GROWTH_PERCENT = 5


def soak(folder, rows, server, minutes):
    """Send every payload in turn; 1 if memory grows from the first fifth to the end, or a request fails."""
    port, log = free_port(), folder / "log"
    known = payloads(rows)
    seen, errors = [], 0
    with running(server["command"], {**server["environment"], "SAGEMAKER_BIND_TO_PORT": port}, log) as process:
        first_answer(process, port, known["json1"], log)
        for turn in range(max(5, round(minutes * 60 / (ROUND_SECONDS + 1)))):
            name = list(known)[turn % len(known)]
            load = wrk(port, write_script(folder, known[name]), 16, process.pid, seconds=ROUND_SECONDS)
            seen.append(rss_mb(process.pid))
            errors += load["errors"]
            print(f"{name:8}{load['requests_per_second']:>12} requests/s{seen[-1]:>8} MB{errors:>4} errors", flush=True)
    before, after = max(seen[: len(seen) // 5]), seen[-1]
    growth = (after / before - 1) * 100
    flat = growth <= GROWTH_PERCENT and not errors
    verdict = "flat" if flat else "NOT FLAT"
    print(
        f"memory after the first fifth {before} MB, at the end {after} MB ({growth:+.1f} %), {errors} errors: {verdict}"
    )
    return int(not flat)
