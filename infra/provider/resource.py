"""Resources, data sources and the provider itself, without bindings: arguments held against its schema.

See docs/adr/0002-resources-from-the-providers-schema.md.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NewType

from infra.errors import UserError
from infra.provider import schema
from infra.provider.arguments import Arguments, did_you_mean
from infra.provider.framework import Construct, TerraformDataSource, TerraformProvider, TerraformResource

Reference = NewType("Reference", str)
"""An attribute of a resource, known only when Terraform applies: opaque, usable wherever its value would be."""

LIFECYCLE = ("create_before_destroy", "ignore_changes", "prevent_destroy", "replace_triggered_by")


class ArgumentError(UserError):
    """Arguments that the provider's schema refuses; the message names the resource, each argument, rule and fix."""


class UnknownAttributeError(UserError, AttributeError):
    """A reference to an attribute that the resource does not have."""


class _FromSchema:
    """What a resource and a data source share. Comes before the framework's class, so that its methods win."""

    terraform_type: ClassVar[str]
    kind: ClassVar[schema.Kind]
    _arguments: dict[str, Any]

    def _synthesize_attributes(self) -> dict[str, Any]:
        return self._arguments

    if not TYPE_CHECKING:  # to mypy, there are only the attributes of the stub

        def __getattr__(self, name: str) -> Reference:
            if name.startswith("_"):
                raise AttributeError(name)
            reference = _reference(self, schema.block(self.kind, self.terraform_type), name)
            self.__dict__[name] = reference  # the next time without a round trip to node
            return reference


class Resource(_FromSchema, TerraformResource):
    """A managed resource; `aws.S3Bucket` and its like are its subclasses.

    Args:
        scope: The construct this one belongs to.
        id_: Unique within the scope, and stable: it is part of the address in Terraform's state.
        lifecycle: Terraform's lifecycle block.
        depends_on: Resources that must be there first, where no reference says so already.
        provider: Another provider than the stack's own.
        arguments: The arguments of the Terraform type; None counts as not given.

    Raises:
        ArgumentError: the provider's schema refuses the arguments.
    """

    kind = "resource"

    def __init__(
        self,
        scope: Construct,
        id_: str,
        /,
        *,
        lifecycle: Mapping[str, Any] | None = None,
        depends_on: Sequence[Construct] | None = None,
        provider: TerraformProvider | None = None,
        **arguments: Any,  # noqa: ANN401 - typed in the stub
    ) -> None:
        block = schema.block("resource", self.terraform_type)
        self._arguments = _checked((scope, id_, self.terraform_type), block, arguments, lifecycle)
        super().__init__(
            scope,
            id_,
            terraform_resource_type=self.terraform_type,
            lifecycle=dict(lifecycle) if lifecycle else None,
            depends_on=list(depends_on) if depends_on else None,  # type: ignore[arg-type]  # every element is dependable
            provider=provider,
        )


class DataSource(_FromSchema, TerraformDataSource):
    """Something looked up; `aws.data.CallerIdentity` and its like are its subclasses. Arguments as for `Resource`."""

    kind = "data"

    def __init__(
        self,
        scope: Construct,
        id_: str,
        /,
        *,
        depends_on: Sequence[Construct] | None = None,
        provider: TerraformProvider | None = None,
        **arguments: Any,  # noqa: ANN401 - typed in the stub
    ) -> None:
        block = schema.block("data", self.terraform_type)
        self._arguments = _checked((scope, id_, f"data.{self.terraform_type}"), block, arguments)
        super().__init__(
            scope,
            id_,
            terraform_resource_type=self.terraform_type,
            depends_on=list(depends_on) if depends_on else None,  # type: ignore[arg-type]  # every element is dependable
            provider=provider,
        )


class AwsProvider(TerraformProvider):
    """The AWS provider at the version that the schema was taken from. Arguments as for `Resource`."""

    def __init__(self, scope: Construct, id_: str, /, *, alias: str | None = None, **arguments: Any) -> None:  # noqa: ANN401
        known = schema.load()
        self._alias = alias
        self._arguments = _checked((scope, id_, "provider aws"), known.provider, arguments)
        super().__init__(
            scope,
            id_,
            terraform_resource_type="aws",
            terraform_provider_source=schema.SOURCE,
            terraform_generator_metadata={"provider_name": "aws", "provider_version_constraint": known.version},
        )

    @property  # type: ignore[misc]  # read-only here: given at construction
    def alias(self) -> str | None:
        """Names the provider where a stack has several."""
        return self._alias

    def _synthesize_attributes(self) -> dict[str, Any]:
        return self._arguments


def _reference(owner: Resource | DataSource, block: Mapping[str, Any], name: str) -> Reference:
    known = [*block.get("attributes", {}), *block.get("block_types", {})]
    if name not in known:
        raise UnknownAttributeError(
            f"{owner.node.path} ({owner.terraform_type}) has no attribute {name}{did_you_mean(name, known)}"
        )
    return Reference(owner.get_string_attribute(name))


def _checked(
    address: tuple[Construct, str, str],
    block: dict[str, Any],
    given: Mapping[str, Any],
    lifecycle: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    arguments = Arguments()
    plain = arguments.block(block, given)
    if problems := arguments.problems + _lifecycle_problems(block, lifecycle or {}):
        scope, id_, kind = address
        raise ArgumentError("\n".join(f"{scope.node.path}/{id_} ({kind}): {problem}" for problem in problems))
    return plain


def _lifecycle_problems(block: Mapping[str, Any], lifecycle: Mapping[str, Any]) -> list[str]:
    """What is wrong with a lifecycle block; Terraform itself would say so only when it plans."""
    unknown = [name for name in lifecycle if name not in LIFECYCLE]
    problems = [f"lifecycle.{name} is not an argument here{did_you_mean(name, LIFECYCLE)}" for name in unknown]
    ignored = lifecycle.get("ignore_changes", [])
    known = [*block.get("attributes", {}), *block.get("block_types", {}), "all"]
    names = [ignored] if isinstance(ignored, str) else ignored
    strange = [name for name in names if name.split(".")[0].split("[")[0] not in known]
    return problems + [
        f"lifecycle.ignore_changes names {name}, which is no attribute here{did_you_mean(name, known)}"
        for name in strange
    ]
