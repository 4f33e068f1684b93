"""An update that is under way: until it is over SageMaker takes no other, and does not tell what is live and why."""

import time
from collections.abc import Callable
from typing import Final

from infra.config import EnvironmentConfig
from infra.errors import CheckFailed
from infra.release.verify import found
from infra.session import client

UNDER_WAY: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html"""
MOST_SECONDS: Final = 3_600
"""So long Terraform waits for an update, too."""
LOOK_SECONDS: Final = 2
TELL_SECONDS: Final = 60


def await_rest(
    environment: EnvironmentConfig,
    endpoint: str,
    *,
    say: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until nothing is under way on an endpoint; at once where there is none, or it rests.

    Args:
        environment: where to look.
        endpoint: its name.
        say: tells a line, when the status is another one and every minute.
        pause: waits so many seconds.

    Raises:
        CheckFailed: an hour has passed.
    """
    sagemaker, said = client(environment, "sagemaker"), ""
    for waited in range(0, MOST_SECONDS, LOOK_SECONDS):
        status = (found(sagemaker.describe_endpoint, EndpointName=endpoint) or {}).get("EndpointStatus")
        if status not in UNDER_WAY:
            return
        if status != said or waited % TELL_SECONDS == 0:
            say(f"{endpoint} is {status}: waiting for the end of that ({waited // 60} of {MOST_SECONDS // 60} minutes)")
        said = status
        pause(LOOK_SECONDS)
    raise CheckFailed(f"{endpoint} is {said} after {MOST_SECONDS // 60} minutes: run this again to wait on")
