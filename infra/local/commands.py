"""`sagestack local`: the local cloud from the command line."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.config import load_environment, project_root
from infra.errors import CheckFailed, UserError
from infra.local import lifecycle
from infra.local.bring_up import Place, bring_up, require_free

app = typer.Typer(help="Run the local cloud.", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)

Environment = Annotated[str | None, typer.Option("--env", help="The environment; SAGESTACK_ENV unless given.")]


@app.command()
def up(
    env: Environment = None,
    *,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay; Ctrl-C stops it.")] = False,
    begin: Annotated[datetime | None, typer.Option(help="The clock's first moment, in UTC; now unless given.")] = None,
) -> None:
    """Start the local cloud, from nothing."""
    place = _place(env)
    moment = begin and begin.replace(tzinfo=UTC)
    settings = place.settings(moment)
    if handle := lifecycle.find(place.home):
        out.print(f"The local cloud is already up at {handle.endpoint_url}.")
        return
    if foreground:
        require_free(settings.port)
        os.execve(settings.command()[0], settings.command(), lifecycle.environment())  # noqa: S606 - its own program
    with out.status("Starting the local cloud"):
        handle, removed = bring_up(place, begin=moment)
    for file in removed:
        out.print(f"Removed {_shown(file)}, of an earlier local cloud.")
    out.print(f"The local cloud is up at {handle.endpoint_url}. Its log: {_shown(place.home / lifecycle.LOG)}")
    out.print("Next: npx cdktf deploy '*' --auto-approve")


@app.command()
def down(env: Environment = None) -> None:
    """Stop the local cloud and everything it started."""
    handle = lifecycle.find(_place(env).home)
    if handle is None:
        out.print("The local cloud is not up.")
        return
    with out.status("Stopping the local cloud"):
        handle.stop()
    out.print("The local cloud is down.")


@app.command()
def status(env: Environment = None) -> None:
    """Say whether it is up, what time it is there, and what is under way; exit 1 if it is not up."""
    handle = lifecycle.find(_place(env).home)
    if handle is None:
        raise CheckFailed("the local cloud is not up: sagestack local up")
    out.print_json(json.dumps(handle.status()))


@app.command()
def logs(
    env: Environment = None,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many, from the end.")] = 50,
) -> None:
    """Print the end of the local cloud's log."""
    log = _place(env).home / lifecycle.LOG
    if not log.exists():
        raise UserError("there is no log yet: sagestack local up")
    out.print("\n".join(log.read_text(errors="replace").splitlines()[-lines:]), markup=False)


@app.command()
def advance(
    env: Environment = None,
    *,
    to: Annotated[datetime | None, typer.Option(help="A moment, in UTC.")] = None,
    days: Annotated[float, typer.Option(help="Or so many days")] = 0,
    hours: Annotated[float, typer.Option(help="and hours.")] = 0,
) -> None:
    """Move the local cloud's clock: what is due on the way happens, and has ended when this returns."""
    handle, seconds = _running(env), days * 86400 + hours * 3600
    if (to is None) == (seconds == 0):
        raise UserError("say either --to 2013-05-01 or --days and --hours")
    with out.status("Advancing the clock"):
        if to is not None:
            handle.advance(to.replace(tzinfo=UTC))
        else:
            handle.advance_by(seconds)
    out.print(f"The clock reads {handle.status()['clock']}.")


@app.command()
def settle(
    env: Environment = None, *, timeout: Annotated[float, typer.Option(help="Give up after so many seconds.")] = 600
) -> None:
    """Wait until no job, execution or delivery is under way."""
    with out.status("Waiting until nothing is under way"):
        _running(env).settle(timeout)
    out.print("Nothing is under way.")


def _place(env: str | None) -> Place:
    return Place(load_environment(env), project_root().parent)


def _running(env: str | None) -> lifecycle.Handle:
    handle = lifecycle.find(_place(env).home)
    if handle is None:
        raise UserError("the local cloud is not up: sagestack local up")
    return handle


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
