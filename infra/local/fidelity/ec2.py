"""EC2's descriptions of security group rules, which moto keeps of addresses alone.

moto's EC2 is imported when somebody first asks for it: it takes a second and 70 MB, which few have a use for.
"""

from importlib import import_module
from typing import Any

from moto import backends

from infra.local.cloud import LocalCloud


def install(_: LocalCloud) -> None:
    """Correct EC2 once it is there."""
    imported = backends._import_backend  # noqa: SLF001 - moto's one place where a service's code is imported

    def corrected(module: str, name: str) -> Any:  # noqa: ANN401 - moto's own
        found = imported(module, name)
        if module.partition(".")[0] == "ec2":
            _keep_descriptions()
        return found

    backends._import_backend = corrected  # noqa: SLF001 - as above


def _keep_descriptions() -> None:
    rule = import_module("moto.ec2.models.security_groups").SecurityGroupRule
    if hasattr(rule, "described"):
        return
    init = rule.__init__

    def described(self: Any, *args: Any, **given: Any) -> None:  # noqa: ANN401 - moto's own
        init(self, *args, **given)
        sources = [one for one in (*args, *given.values()) if isinstance(one, dict)]
        self.described = next((one["Description"] for one in sources if one.get("Description")), None)

    rule.described = None
    rule.__init__ = described
    rule.description = property(lambda self: self.ip_range.get("Description") or self.described)
