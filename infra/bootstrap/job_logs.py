"""The log groups of SageMaker's jobs: one a kind of job for the whole account, and so in no environment's stack.

Two environments of one account would both declare them, and the second to be destroyed would take the first one's logs.
"""

from collections.abc import Iterator
from typing import get_args

from infra.config import EnvironmentConfig, RetentionConfig
from infra.naming import JobKind
from infra.session import own_client


def job_logs(environment: EnvironmentConfig) -> Iterator[str]:
    """Make the groups that are not there, and have those end some day that never would; what was done, a line each.

    A group that somebody has given a retention keeps it. They have CloudWatch's own key: the environment's is not
    everybody's.
    """
    logs = own_client(environment, "logs")
    days = (environment.retention or RetentionConfig()).log_days
    for kind in get_args(JobKind):
        name = environment.names.job_logs(kind)
        answer = logs.describe_log_groups(logGroupNamePrefix=name)
        found = [one for one in answer["logGroups"] if one["logGroupName"] == name]
        if not found:
            logs.create_log_group(logGroupName=name)
        kept = found[0].get("retentionInDays") if found else None
        if kept is None:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        yield f"log group {name}: {'was there' if found else 'made'}; kept for {kept or days} days"
