"""Which project, environment and models are meant: what the variables say, or else where somebody stands."""

import os
import re
from pathlib import Path
from typing import Final

ROOT_VARIABLE: Final = "SAGESTACK_ROOT"
"""Names the folder that holds models, environments and releases."""
ENVIRONMENT_VARIABLE: Final = "SAGESTACK_ENV"
"""Names the environment."""
MODELS_VARIABLE: Final = "SAGESTACK_MODELS"
"""Names the models that are synthesized, with commas between; all unless set."""
ROLE_VARIABLE: Final = "SAGESTACK_DEPLOY_ROLE"
"""Takes the place of an environment's `deploy_role`: another role's ARN, or `none` for credentials as they are."""
DEFAULT_ENVIRONMENT: Final = "local"
DEFAULT_ROOT: Final = "infra"


def project_root() -> Path:
    """`SAGESTACK_ROOT`, or else `infra` of the project that the working folder belongs to."""
    chosen = os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(chosen).absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DEFAULT_ROOT / "environments").is_dir():
            return folder / DEFAULT_ROOT
    return here / DEFAULT_ROOT


def chosen_environment() -> str:
    """The environment that `SAGESTACK_ENV` picks; local unless set."""
    return os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT


def chosen_models() -> tuple[str, ...] | None:
    """The models that `SAGESTACK_MODELS` names; None, which is all, unless set."""
    named = re.split(r"[\s,]+", os.environ.get(MODELS_VARIABLE, "").strip())
    return tuple(filter(None, named)) or None
