"""The goals, met or missed."""

# ruff: noqa: T201 - a bench prints

from tests.bench.serving.servers import NO_OP, PEERS_BY_NAME


def judge(results, scales):
    """Print every goal that the measured servers allow to judge."""
    at_16 = {(row["server"], row["payload"]): row for row in results if row.get("connections") == 16}
    peers = [row for (server, _), row in at_16.items() if server in PEERS_BY_NAME]
    if ("sagestack", "csv1") not in at_16:
        return
    if peers:
        beside_peers(at_16, peers)
    one_row = at_16["sagestack", "csv1"]
    if no_op := at_16.get((NO_OP, "csv1")):
        share = one_row["requests_per_second"] / no_op["requests_per_second"]
        say("csv1: share of the no-op's rate", share, 0.6, at_least=True)
        say("csv1: the no-op's share of the CPU time", no_op["cpu_us"] / one_row["cpu_us"], 0.6, at_least=True)
    for scale in scales:
        say(f"{scale['payload']}: CPU time a request with two workers, to one's", scale["two_workers"], 1.1)
        print(f"{scale['payload']}: the same of two servers that share nothing: {scale['two_servers']:.2f}")
    say("cold start, seconds", one_row["cold_start_seconds"], 1)
    say("RSS, MB", one_row["rss_mb"], 100)


def beside_peers(at_16, peers):
    for payload, kinds, times in (("csv1", ("csv1", "json1"), 20), ("csv100", ("csv100",), 4)):
        same = [row for row in peers if row["payload"] in kinds]
        own = at_16["sagestack", payload]
        best = max(same, key=lambda row: row["requests_per_second"])
        ratio = own["requests_per_second"] / best["requests_per_second"]
        say(f"{payload}: times the best peer ({best['server']})", ratio, times, at_least=True)
        say(f"{payload}: p99 as a share of the best peer's", own["p99_ms"] / best["p99_ms"], 0.1)
        least = min(same, key=lambda row: row["p99_ms"])
        share = own["p99_ms"] / least["p99_ms"]
        print(f"{payload}: p99 as a share of the least of any peer ({least['server']}): {share:.2f}")


def say(what, value, goal, *, at_least=False):
    met = value >= goal if at_least else value <= goal
    print(f"{what}: {value:.2f} (goal: at {'least' if at_least else 'most'} {goal}): {'met' if met else 'MISSED'}")
