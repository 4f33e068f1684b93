"""The framework seam: constructs and stacks take everything they need of cdktf (or cdktn) and of AWS from here."""

from infra.provider import aws
from infra.provider.asset import file_asset
from infra.provider.endpoint import endpoint_arguments, state_endpoint_arguments, write_endpoint
from infra.provider.framework import App, Aspects, Construct, Fn, IAspect, IConstruct, LocalBackend, S3Backend, Token
from infra.provider.framework import TerraformOutput as Output
from infra.provider.framework import TerraformStack as Stack
from infra.provider.mirror import use_mirror
from infra.provider.resource import ArgumentError, DataSource, Reference, Resource, UnknownAttributeError

__all__ = [
    "App",
    "ArgumentError",
    "Aspects",
    "Construct",
    "DataSource",
    "Fn",
    "IAspect",
    "IConstruct",
    "LocalBackend",
    "Output",
    "Reference",
    "Resource",
    "S3Backend",
    "Stack",
    "Token",
    "UnknownAttributeError",
    "aws",
    "endpoint_arguments",
    "file_asset",
    "state_endpoint_arguments",
    "use_mirror",
    "write_endpoint",
]
