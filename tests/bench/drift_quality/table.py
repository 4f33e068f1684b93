"""From verdicts to rows, and from rows to the tables on the screen."""

# ruff: noqa: T201 - a bench prints

from collections import defaultdict

import numpy as np
import scipy.stats

from tests.bench.drift_quality.shifts import NONE, SHIFTS

RATE = 0.05
OURS = "sagestack"
WITHIN = 0.01
"""So near to the chosen rate the false alarms are to be."""


def rows_of(verdicts):
    """(data set, rows, engine, what it said) of each division -> a row an engine, data set, size and shift."""
    said = defaultdict(list)
    versions = {}
    for data, rows, package, document in verdicts:
        versions |= dict.fromkeys(document["ratios"], f"{package} {document['version']}")
        for engine, files in document["ratios"].items():
            for file, ratios in files.items():
                said[data, rows, engine, int(file.rpartition("-")[2])] += ratios
    found = []
    for (data, rows, engine, place), ratios in said.items():
        kind, size = [*SHIFTS][place]
        matched = max(np.quantile(said[data, rows, engine, 0], 1 - RATE, method="higher"), np.finfo(float).tiny)
        found.append({
            "data": data, "rows": rows, "engine": engine, "version": versions[engine], "shift": kind, "size": size,
            "windows": len(ratios), "alarms": int((np.array(ratios) >= 1).sum()),
            "alarms_matched": int((np.array(ratios) > matched).sum()),
        })  # fmt: skip
    return found


def false_alarm_rows(counted):
    """Ours alone, on many more unchanged windows, with the interval that references spread by."""
    return [
        {
            "data": data, "rows": rows, "engine": f"{OURS}, false alarms", "version": said["version"], "shift": NONE,
            "size": "", "windows": said["windows"], "alarms": sum(said["alarms"]), "references": len(said["alarms"]),
            "interval": interval(said["alarms"], said["windows"]),
        }
        for data, rows, said in counted
    ]  # fmt: skip


def interval(alarms, windows):
    """Of the share of alarms, 95 %: windows against one reference err together, so references are what is counted."""
    shares = np.array(alarms) * len(alarms) / windows
    reach = scipy.stats.t.ppf(0.975, len(shares) - 1) * shares.std(ddof=1) / np.sqrt(len(shares))
    return [max(shares.mean() - reach, 0.0), shares.mean() + reach]


def show(found):
    alone = [one for one in found if "interval" in one]
    print(f"\nfalse alarms of sagestack at a chosen rate of {RATE:.0%}, % (95 % interval)")
    for one in alone:
        low, high = one["interval"]
        share = one["alarms"] / one["windows"]
        met = "met" if abs(one["alarms"] - RATE * one["windows"]) <= WITHIN * one["windows"] + 1e-9 else "MISSED"
        print(f"{one['data']:>10}{one['rows']:>8} rows{100 * share:7.1f}  ({100 * low:.1f} to {100 * high:.1f}, "
              f"{one['windows']} windows of {one['references']} references): {met}")  # fmt: skip
    beside = [one for one in found if "interval" not in one]
    for key, title in (("alarms", "with its defaults"), ("alarms_matched", "at 5 % false alarms each")):
        table(beside, key, title)
    judge(beside)


def table(found, key, title):
    engines = sorted({one["engine"] for one in found}, key=lambda name: (name != OURS, name))
    print(f"\nwindows with an alarm, %, {title}; all data sets; windows of 500 / 5,000 / 50,000 rows")
    print(f"{'':26}" + "".join(f"{engine:>24}" for engine in engines))
    for kind, size in SHIFTS:
        shares = [[share(found, key, engine, kind, size, rows) for rows in sizes(found)] for engine in engines]
        cells = [" / ".join(f"{100 * each:.0f}" for each in of_engine) for of_engine in shares]
        print(f"{kind + ' ' + size:26}" + "".join(f"{cell:>24}" for cell in cells))


def judge(found):
    """The goal: of each kind of shift, over all data sets and sizes, more is detected than by any peer.

    Peers that raise no more false alarms than ours are compared with their defaults too, all of them at matched rates.
    """
    rates = {engine: overall(found, "alarms", engine, NONE) for engine in sorted({one["engine"] for one in found})}
    most = max(RATE, rates.pop(OURS))
    for engine, rate in rates.items():
        louder = ", more than ours: compared at matched rates alone" if rate > most else ""
        print(f"{engine}: {100 * rate:.0f} % false alarms with its defaults{louder}")
    for kind in dict.fromkeys(kind for kind, _ in SHIFTS if kind != NONE):
        ours = overall(found, "alarms", OURS, kind)
        matched = max((overall(found, "alarms_matched", engine, kind), engine) for engine in rates)
        quiet = [(overall(found, "alarms", engine, kind), engine) for engine, rate in rates.items() if rate <= most]
        met = "met" if ours > max(theirs for theirs, _ in (matched, *quiet)) else "MISSED"
        said = [f"{100 * theirs:.0f} % ({engine})" for theirs, engine in (matched, max(quiet, default=(0.0, "none")))]
        print(f"{kind}: detected {100 * ours:.0f} %, by the best peer at matched rates {said[0]}, "
              f"with its defaults and no more false alarms {said[1]}: {met}")  # fmt: skip


def sizes(found):
    return sorted({one["rows"] for one in found})


def share(found, key, engine, kind, size, rows):  # noqa: PLR0917 - a cell's place in the table
    chosen = [
        one for one in found if (one["engine"], one["shift"], one["size"], one["rows"]) == (engine, kind, size, rows)
    ]
    return sum(one[key] for one in chosen) / max(sum(one["windows"] for one in chosen), 1)


def overall(found, key, engine, kind):
    chosen = [one for one in found if (one["engine"], one["shift"]) == (engine, kind)]
    return sum(one[key] for one in chosen) / max(sum(one["windows"] for one in chosen), 1)
