"""What policies are read with, and whose the stacks of the tests are."""

ACCOUNTS = {"local": "123456789012", "prod": "210987654321"}
REGIONS = {"local": "us-east-1", "prod": "eu-west-1"}


def environment_of(stack):
    return stack.name.split("-")[0]


def listed(value):
    return [value] if isinstance(value, str) else value
