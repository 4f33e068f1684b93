"""The one place that knows which framework synthesises: cdktf, or its successor cdktn (CDK Terrain).

Both have the same API; cdktf is taken where both are installed.
See docs/adr/0001-cdktf-and-its-successor.md.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

_node = Path(sys.prefix, "bin", "node")
if _node.exists():
    # jsii runs the framework in node; the environment's own is the version that was tried.
    os.environ.setdefault("JSII_NODE", str(_node))

from constructs import Construct, IConstruct  # noqa: E402 - loads jsii

if TYPE_CHECKING or find_spec("cdktf"):
    from cdktf import (
        App,
        Aspects,
        AssetType,
        Fn,
        IAspect,
        LocalBackend,
        S3Backend,
        TerraformAsset,
        TerraformDataSource,
        TerraformOutput,
        TerraformProvider,
        TerraformResource,
        TerraformStack,
        Token,
    )
else:
    from cdktn import (
        App,
        Aspects,
        AssetType,
        Fn,
        IAspect,
        LocalBackend,
        S3Backend,
        TerraformAsset,
        TerraformDataSource,
        TerraformOutput,
        TerraformProvider,
        TerraformResource,
        TerraformStack,
        Token,
    )

__all__ = [
    "App",
    "Aspects",
    "AssetType",
    "Construct",
    "Fn",
    "IAspect",
    "IConstruct",
    "LocalBackend",
    "S3Backend",
    "TerraformAsset",
    "TerraformDataSource",
    "TerraformOutput",
    "TerraformProvider",
    "TerraformResource",
    "TerraformStack",
    "Token",
]
