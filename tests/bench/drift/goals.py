"""The table, and the goals met or missed."""

# ruff: noqa: T201 - a bench prints

MILLION = 1_000_000
LIMITS = ("pyarrow", "polars")
AT_LEAST = {"evidently": 50, "whylogs": 50, "nannyml": 12}
"""Times faster than each peer; and three times faster than the fastest."""


def judge(results):
    columns = ("engine", "version", "statistic", "format", "rows", "seconds", "peak_mb")
    print("".join(f"{column:>12}" for column in columns))
    for one in results:
        print("".join(f"{one[column]:>12}" for column in columns))
    parquet(results)
    lines = [one for one in results if one["format"] == "jsonl" and one["engine"] in {"sagestack", "whole job"}]
    for one in lines:
        if one["rows"] == MILLION:
            say(f"{one['engine']}, {one['statistic']} of a million JSON Lines, seconds", one["seconds"], 2)
    say("start-up, seconds", next(one["seconds"] for one in results if one["format"] == "nothing"), 1)
    say("peak memory, MB", max(one["peak_mb"] for one in results if one["engine"] == "sagestack"), 600)


def parquet(results):
    """Against peers on the same file, statistic by statistic; against the limits, by the slower of our two."""
    found = [one for one in results if one["format"] == "parquet" and one["engine"] != "whole job"]
    for rows in sorted({one["rows"] for one in found}):
        seconds = {(one["engine"], one["statistic"]): one["seconds"] for one in found if one["rows"] == rows}
        ours = {statistic: seconds.pop(("sagestack", statistic)) for statistic in ("psi", "ks")}
        limits = [seconds.pop((limit, "bins")) for limit in LIMITS if (limit, "bins") in seconds]
        for (peer, statistic), took in seconds.items():
            times = took / ours[statistic]
            say(f"{rows:,} rows, {statistic}: times {peer}", times, AT_LEAST[peer], at_least=True)
        for statistic, took in ours.items():
            if peers := [each for (_, same), each in seconds.items() if same == statistic]:
                say(f"{rows:,} rows, {statistic}: times the fastest peer", min(peers) / took, 3, at_least=True)
        if limits:
            say(f"{rows:,} rows: times the bare scan's seconds", max(ours.values()) / min(limits), 2)


def say(what, value, goal, *, at_least=False):
    met = value >= goal if at_least else value <= goal
    print(f"{what}: {value:.2f} (goal: at {'least' if at_least else 'most'} {goal}): {'met' if met else 'MISSED'}")
