"""Run beside a program with child processes: ends them when the program is gone, even if it was killed outright.

The program writes `+<process group>` and `-<process group>` lines to this one's standard input. The operating system
closes that pipe however the program ends; every group not taken back by then is killed. Started by path, without the
package and without site packages, so that it costs a few megabytes and milliseconds.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def surviving_groups(lines: Iterable[str]) -> set[int]:
    """Read `+group` and `-group` lines to their end; return the groups that were added and not taken back."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Wait for the program's end, then kill what it left."""
    for group in surviving_groups(sys.stdin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
