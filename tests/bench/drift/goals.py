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
    """Against peers and limits on the same file, by the slower of our two statistics."""
    for rows in sorted({one["rows"] for one in results if one["format"] == "parquet"}):
        seconds = {}
        for one in results:
            if (one["format"], one["rows"]) == ("parquet", rows) and one["engine"] != "whole job":
                least = min if one["engine"] != "sagestack" else max
                seconds[one["engine"]] = least(seconds.get(one["engine"], one["seconds"]), one["seconds"])
        ours = seconds.pop("sagestack")
        limits = [seconds.pop(limit) for limit in LIMITS if limit in seconds]
        for peer, times in seconds.items():
            say(f"{rows:,} rows: times {peer}", times / ours, AT_LEAST[peer], at_least=True)
        if seconds:
            say(f"{rows:,} rows: times the fastest peer", min(seconds.values()) / ours, 3, at_least=True)
        if limits:
            say(f"{rows:,} rows: times the bare scan's seconds", ours / min(limits), 2)


def say(what, value, goal, *, at_least=False):
    met = value >= goal if at_least else value <= goal
    print(f"{what}: {value:.2f} (goal: at {'least' if at_least else 'most'} {goal}): {'met' if met else 'MISSED'}")
