"""Regenerates `schema.json` and the stubs of `infra.provider.aws` from the provider itself (`make provider-schema`).

To use another resource type, add it here and run that. To move to another version of the provider, change VERSION and
run that.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from infra import toolchain
from infra.provider import mirror, schema, stub

VERSION = "5.100.0"

RESOURCES = [
    "appautoscaling_policy",
    "appautoscaling_scheduled_action",
    "appautoscaling_target",
    "cloudwatch_composite_alarm",
    "cloudwatch_dashboard",
    "cloudwatch_event_rule",
    "cloudwatch_event_target",
    "cloudwatch_log_group",
    "cloudwatch_metric_alarm",
    "dynamodb_table",
    "ecr_lifecycle_policy",
    "ecr_repository",
    "ecr_repository_policy",
    "flow_log",
    "iam_policy",
    "iam_role",
    "iam_role_policy",
    "iam_role_policy_attachment",
    "kms_alias",
    "kms_key",
    "kms_key_policy",
    "lambda_function",
    "lambda_function_event_invoke_config",
    "lambda_permission",
    "route_table",
    "route_table_association",
    "s3_bucket",
    "s3_bucket_lifecycle_configuration",
    "s3_bucket_logging",
    "s3_bucket_notification",
    "s3_bucket_object_lock_configuration",
    "s3_bucket_ownership_controls",
    "s3_bucket_policy",
    "s3_bucket_public_access_block",
    "s3_bucket_server_side_encryption_configuration",
    "s3_bucket_versioning",
    "s3_object",
    "sagemaker_endpoint",
    "sagemaker_endpoint_configuration",
    "sagemaker_model",
    "sagemaker_model_package_group",
    "sagemaker_model_package_group_policy",
    "sagemaker_pipeline",
    "scheduler_schedule",
    "scheduler_schedule_group",
    "secretsmanager_secret",
    "secretsmanager_secret_version",
    "security_group",
    "vpc_security_group_egress_rule",
    "vpc_security_group_ingress_rule",
    "sns_topic",
    "sns_topic_policy",
    "sns_topic_subscription",
    "sqs_queue",
    "sqs_queue_policy",
    "ssm_parameter",
    "subnet",
    "vpc",
    "vpc_endpoint",
    "vpc_endpoint_policy",
]
DATA = ["caller_identity", "iam_policy_document", "region"]


def main() -> None:
    """Writes the schema file and both stubs."""
    full = _provider_schema()
    for name in RESOURCES:
        # The provider's own tooling calls every id optional; giving one is an error all the same.
        full["resource_schemas"][f"aws_{name}"]["block"]["attributes"]["id"].pop("optional", None)
    trimmed = {
        "version": VERSION,
        "provider": _trim(full["provider"]["block"]),
        "resource": {f"aws_{name}": _trim(full["resource_schemas"][f"aws_{name}"]["block"]) for name in RESOURCES},
        "data": {f"aws_{name}": _trim(full["data_source_schemas"][f"aws_{name}"]["block"]) for name in DATA},
    }
    schema.SCHEMA_FILE.write_text(_a_line_a_type(trimmed), encoding="utf-8")
    schema.load.cache_clear()
    stub.write(schema.load())


def _provider_schema() -> Any:  # noqa: ANN401 - Terraform's JSON
    needed = {"terraform": {"required_providers": {"aws": {"source": schema.SOURCE, "version": VERSION}}}}
    terraform = toolchain.terraform()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf.json").write_text(json.dumps(needed), encoding="utf-8")
        if package := mirror.find_package(mirror.usual_mirrors(), VERSION):
            mirror.link(Path(folder), package)
        subprocess.run([terraform, "init", "-no-color"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        asked = [terraform, "providers", "schema", "-json"]
        answer = subprocess.run(asked, cwd=folder, check=True, capture_output=True)
    return json.loads(answer.stdout)["provider_schemas"][schema.SOURCE]


def _trim(block: dict[str, Any]) -> dict[str, Any]:
    """A block without prose."""
    kept: dict[str, dict[str, Any]] = {"attributes": {}, "block_types": {}}
    for name, attribute in block.get("attributes", {}).items():
        kept["attributes"][name] = {
            key: attribute[key] for key in ("type", "required", "optional", "computed") if key in attribute
        }
    for name, nested in block.get("block_types", {}).items():
        limits = {key: nested[key] for key in ("nesting_mode", "min_items", "max_items") if key in nested}
        kept["block_types"][name] = {**limits, "block": _trim(nested["block"])}
    return {key: value for key, value in kept.items() if value}


def _a_line_a_type(trimmed: dict[str, Any]) -> str:
    """JSON of which a person can read the difference."""

    def types(blocks: dict[str, Any]) -> str:
        lines = (
            f"    {json.dumps(name)}: {json.dumps(block, separators=(',', ':'))}" for name, block in blocks.items()
        )
        return "{\n" + ",\n".join(lines) + "\n  }"

    parts = [f'  "{key}": {json.dumps(trimmed[key], separators=(",", ":"))}' for key in ("version", "provider")]
    parts += [f'  "{kind}": {types(trimmed[kind])}' for kind in ("resource", "data")]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main()
