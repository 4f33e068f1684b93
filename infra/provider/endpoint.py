"""An endpoint that is not AWS: every call of every service goes there, by a profile in a file beside each stack.

The provider's own `endpoints` block would do it too, service by service; but the provider takes three seconds longer
to check one with every start, and a service that the block forgets would be called on AWS. Without the file, or with
what it says overridden, the placeholders are refused by AWS before anything is made.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""

from pathlib import Path
from typing import Any

PLACEHOLDER = "local"
"""An endpoint that is not AWS checks no credentials, but the provider insists on having some."""
PROFILE = "endpoint"
CONFIG_FILE = "aws.config"
"""Relative to the stack's output folder, where Terraform runs."""


def endpoint_arguments() -> dict[str, Any]:
    """The provider's arguments: such an endpoint has no instance metadata, and its buckets have no host names."""
    return {
        "access_key": PLACEHOLDER,
        "secret_key": PLACEHOLDER,
        "s3_use_path_style": True,
        "skip_metadata_api_check": "true",
        "shared_config_files": [CONFIG_FILE],
        "profile": PROFILE,
    }


def state_endpoint_arguments() -> dict[str, Any]:
    """The same for a state in S3."""
    arguments = endpoint_arguments()
    return {
        **{name: arguments[name] for name in ("access_key", "secret_key", "shared_config_files", "profile")},
        "use_path_style": True,
        "skip_metadata_api_check": True,
    }


def write_endpoint(outdir: str | Path, url: str) -> None:
    """Lay the file beside every synthesised stack.

    Args:
        outdir: What the app was synthesised into (`cdktf.out`).
        url: Of the endpoint, such as `http://127.0.0.1:4577`.
    """
    for stack in Path(outdir, "stacks").glob("*/"):
        (stack / CONFIG_FILE).write_text(f"[profile {PROFILE}]\nendpoint_url = {url}\n")
