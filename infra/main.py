"""Load, validate, stacks, synth: what `cdktf` runs, for the environment and models that SAGESTACK_ENV, _MODELS name."""

import sys
from collections.abc import Iterable

from infra.config import EnvironmentConfig, Project, chosen_environment, chosen_models, load_project
from infra.errors import UserError
from infra.provider import App, use_mirror, write_endpoint
from infra.stacks import ModelStack, PlatformStack


def build(app: App, environment: str, models: Iterable[str] | None = None) -> EnvironmentConfig:
    """Add the environment's stacks to the app, of all models unless some are named; the environment.

    A model's stack is the same however many others there are.
    """
    project = load_project(environment, models=models)
    declare(app, project)
    return project.environment


def declare(app: App, project: Project) -> None:
    """Add a project's stacks to the app."""
    shared = PlatformStack(app, environment=project.environment, source=project.source)
    for name, model in project.models.items():
        ModelStack(
            app, model=model, environment=project.environment, platform=shared.platform, lock=project.locks[name]
        )


def main() -> None:
    """Synthesize to `cdktf.out`."""
    app = App()
    try:
        environment = build(app, chosen_environment(), chosen_models())
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    app.synth()
    use_mirror(app.outdir)
    if environment.endpoint_url:
        write_endpoint(app.outdir, environment.endpoint_url)


if __name__ == "__main__":
    main()
