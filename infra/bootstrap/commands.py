"""`sagestack bootstrap`: once an environment, by somebody who may administer its account."""

from typing import Annotated

import typer

from infra.bootstrap.roles import roles
from infra.bootstrap.state_bucket import state_bucket
from infra.config import S3State, chosen_environment, load_environment
from infra.errors import UserError
from infra.session import explained, own_client

Environment = Annotated[str | None, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]


@explained
def bootstrap(env: Environment = None) -> None:
    """Make the state bucket and the roles that plan and deploy, as the environment's file asks; run again, it mends."""
    environment = load_environment(env or chosen_environment())
    state = environment.state
    if not isinstance(state, S3State):
        fix = "nothing is to be made; state of kind s3 would need a bucket"
        raise UserError(f"{environment.name} keeps its state in {state.directory}: {fix}")
    account = own_client(environment, "sts").get_caller_identity()["Account"]
    if account != environment.account:
        raise UserError(f"{environment.name} is account {environment.account}, but your credentials are of {account}")
    typer.echo(state_bucket(environment, state))
    for line in roles(environment, state):
        typer.echo(line)
    typer.echo(f"Now npx cdktf deploy {environment.name}-platform")
