"""`make demo`: bring the local cloud up, live through the year, report, destroy, bring it down."""

import argparse
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from infra.config import load_environment
from infra.demo import ending, flow, report
from infra.demo.cloud import DemoCloud
from infra.demo.progress import Progress
from infra.demo.record import Record
from infra.demo.story import ENVIRONMENT, Story
from infra.errors import UserError
from infra.local import lifecycle
from infra.local.bring_up import Place, bring_up

FOLDER = Path("build/demo")
BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
SET_UP_SECONDS_VARIABLE = "SAGESTACK_SET_UP_SECONDS"
"""How long `make` took to set the project up before it called the demo."""
KEEP_VARIABLE = "KEEP"
"""Set to anything, it leaves everything up to look at."""


def main() -> int:
    """Run the demo; the exit code."""
    try:
        return _run(_options(), Console())
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.demo", description=__doc__)
    parser.add_argument(
        "--last-month", type=int, default=12, choices=range(4, 13), metavar="4-12", help="stop after it"
    )
    return parser.parse_args()


def _run(options: argparse.Namespace, console: Console) -> int:
    began = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    place = Place(load_environment(ENVIRONMENT), Path.cwd())
    record = Record(set_up_seconds=float(os.environ.get(SET_UP_SECONDS_VARIABLE, "0")))
    progress = Progress(console, record)
    if earlier := lifecycle.find(place.home):
        earlier.stop()
    with progress.step("Start the local cloud, on 1 January 2013"):
        handle, _ = bring_up(place, begin=BEGIN)
    keep = bool(os.environ.get(KEEP_VARIABLE))
    try:
        story = Story(DemoCloud(handle, place.environment), record, progress, FOLDER)
        story.run(options.last_month)
        if not keep:
            story.tear_down()
    finally:
        flow.CHILDREN.stop()
        if not keep:
            handle.stop()
    record.seconds = time.monotonic() - began
    record.write(FOLDER / "summary.json")
    report.write(record, FOLDER / "report.html")
    ending.say(progress, record, FOLDER, kept=keep)
    return 0 if record.went_well else 1


if __name__ == "__main__":
    sys.exit(main())
