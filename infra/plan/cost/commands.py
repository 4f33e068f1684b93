"""`sagestack cost`: told before anything is deployed."""

from collections.abc import Sequence
from typing import Annotated

import typer

from infra.config import chosen_environment, load_environment, load_model, model_names, project_root
from infra.errors import CheckFailed, UserError
from infra.plan.cost.estimate import Assumptions, Estimate, Line
from infra.prices import prices

Environment = Annotated[str | None, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]
Model = Annotated[str | None, typer.Argument(help="Model.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every model of the environment.")]
JobMinutes = Annotated[float, typer.Option("--job-minutes", min=0, help="How long each job runs.")]
Requests = Annotated[int, typer.Option("--requests", min=0, help="Requests to a serverless endpoint in a month.")]
RequestMs = Annotated[float, typer.Option("--request-ms", min=0, help="How long a serverless endpoint takes for one.")]

NOT_IN_IT = (
    "S3, volumes that no line names, logs, metrics, alarms, keys, requests to AWS, data transfer, taxes and discounts "
    "are not in it"
)


def cost(  # noqa: PLR0917 - typer's parameters
    model: Model = None,
    env: Environment = None,
    every: All = False,  # noqa: FBT002 - as above
    job_minutes: JobMinutes = 10,
    requests: Requests = 1_000_000,
    request_ms: RequestMs = 100,
) -> None:
    """Estimate what a model costs a month, from its file, at list prices: at least and at most."""
    if every == (model is not None):
        raise UserError("name one model, or --all")
    root = project_root()
    environment = load_environment(env or chosen_environment(), root)
    known = prices(environment.region)
    if not known.readings:
        fix = f"`sagestack prices --env {environment.name}` reads them from AWS's price list"
        raise CheckFailed(f"no price of {environment.region} is known here: {fix}")
    assumed = Assumptions(job_minutes, requests, request_ms)
    typer.echo(f"US dollars a month in {environment.name} ({environment.region}), at least and at most\n")
    told: list[Line] = []
    for name in model_names(root) if every else [str(model)]:
        lines = Estimate(load_model(name, environment, root), known, assumed).lines()
        typer.echo("\n".join([name, *map(_row, lines)]))
        told += lines
    typer.echo(_row(_total(told)))
    typer.echo(f"\nAn estimate, not a bill: {NOT_IN_IT}.")
    used = {line.as_of for line in told}
    for reading in (one for one in known.readings if one.as_of in used):
        typer.echo(f"Prices ({reading.as_of}): {reading.source}")
    if missing := sorted({line.what for line in told if line.least is None}):
        raise CheckFailed(f"the total lacks what no price in {environment.region} is known of: {'; '.join(missing)}")


def _row(line: Line) -> str:
    amounts = "     no price known" if line.least is None else f"{line.least:9,.2f} {line.most:9,.2f}"
    return f"  {line.part:12} {line.what:58} {amounts}"


def _total(lines: Sequence[Line]) -> Line:
    known = [line for line in lines if line.least is not None]
    return Line("total", "", sum(line.least or 0 for line in known), sum(line.most or 0 for line in known))
