"""`sagestack bootstrap`, once an environment; `sagestack environments`, for the workflows of those that name GitHub."""

import json
from typing import Annotated

import typer

from infra.bootstrap.event_logs import event_logs
from infra.bootstrap.job_logs import job_logs
from infra.bootstrap.roles import roles
from infra.bootstrap.state_bucket import state_bucket
from infra.config import S3State, chosen_environment, environment_names, load_environment, load_source, project_root
from infra.errors import UserError
from infra.session import explained, own_client

Environment = Annotated[str | None, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]


@explained
def bootstrap(env: Environment = None) -> None:
    """Make state bucket, roles and the logs' policy, as the environment's file asks; run again, it mends."""
    environment = load_environment(env or chosen_environment())
    state = environment.state
    if not isinstance(state, S3State):
        fix = "nothing is to be made; state of kind s3 would need a bucket"
        raise UserError(f"{environment.name} keeps its state in {state.directory}: {fix}")
    account = own_client(environment, "sts").get_caller_identity()["Account"]
    if account != environment.account:
        raise UserError(f"{environment.name} is account {environment.account}, but your credentials are of {account}")
    typer.echo(state_bucket(environment, state))
    source = load_source(environment, project_root())
    for line in roles(environment, state, None if source is None else source.names):
        typer.echo(line)
    typer.echo(event_logs(environment))
    for line in job_logs(environment):
        typer.echo(line)
    typer.echo(f"Now npx cdktf deploy {environment.name}-platform")


def environments(
    github: Annotated[str, typer.Option(help="The repository, such as acme/models.")],
    only: Annotated[str | None, typer.Option(help="One environment; all unless given.", show_default=False)] = None,
) -> None:
    """Print the environments that name this repository, as a matrix for its workflows."""
    root = project_root()
    loaded = (load_environment(name, root) for name in ([only] if only else environment_names(root)))
    named = [one for one in loaded if one.github is not None and one.github.repository == github]
    rows = [
        {
            "name": one.name,
            "region": one.region,
            "plan_role": f"arn:aws:iam::{one.account}:role/{one.names.plan_role}",
            "deploy_role": f"arn:aws:iam::{one.account}:role/{one.names.deploy_role}",
        }
        for one in named
    ]
    typer.echo(json.dumps(rows))
