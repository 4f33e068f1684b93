"""What the AWS provider says of the types in use: `schema.json`, made by `make provider-schema`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

SCHEMA_FILE = Path(__file__).with_name("schema.json")
SOURCE = "registry.terraform.io/hashicorp/aws"
Kind = Literal["resource", "data"]


@dataclass(frozen=True)
class Schema:
    """A provider at one version.

    `resource` and `data` hold a block by Terraform type (`aws_s3_bucket`); a block is what `terraform providers schema
    -json` calls one: `attributes` by name (`type`, `required`, `optional`, `computed`) and `block_types` by name
    (`block`, `nesting_mode`, `min_items`, `max_items`).
    """

    version: str
    provider: dict[str, Any]
    resource: dict[str, dict[str, Any]]
    data: dict[str, dict[str, Any]]


@cache
def load() -> Schema:
    """The committed schema, parsed once."""
    return Schema(**json.loads(SCHEMA_FILE.read_bytes()))


def block(kind: Kind, terraform_type: str) -> dict[str, Any]:
    """The schema of one resource or data source."""
    blocks: dict[str, dict[str, Any]] = getattr(load(), kind)
    return blocks[terraform_type]
