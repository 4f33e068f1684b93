"""EventBridge may keep the environment's events in its logs.

It cannot be in a stack: AWS takes no log group for the right to say so, and what deploys one environment must not be
able to say it for another's logs.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (CloudWatch Logs)
"""

import json
from typing import Any, Final

from infra.config import EnvironmentConfig
from infra.naming import Names
from infra.session import own_client

WRITERS: Final = {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]}


def event_logs(environment: EnvironmentConfig) -> str:
    """Let the environment's rules write to its log groups below /aws/events; what was done."""
    logs, name = own_client(environment, "logs"), f"{environment.names.base}-events"
    there = any(one["policyName"] == name for one in logs.describe_resource_policies()["resourcePolicies"])
    logs.put_resource_policy(policyName=name, policyDocument=json.dumps(_policy(environment.names)))
    return f"log policy {name}: {'was there, and is set' if there else 'made'}"


def _policy(names: Names) -> dict[str, Any]:
    where = f"{names.region}:{names.account}"
    groups = f"arn:aws:logs:{where}:log-group:/aws/events/{names.base}-*:*"
    written = {"Effect": "Allow", "Principal": WRITERS, "Action": "logs:PutLogEvents", "Resource": groups}
    of_ours = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:{where}:rule/{names.base}-*"}}
    return {
        "Version": "2012-10-17",
        "Statement": [written | {"Action": "logs:CreateLogStream"}, written | {"Condition": of_ours}],
    }
