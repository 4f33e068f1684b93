"""Provider mirrors: on a machine that has the provider but no registry, the CDKTF command lines work as anywhere.

Terraform looks into `terraform.d/plugins` of the folder it runs in, so a link there is all it needs. The command lines
also run `terraform providers lock`, which asks the registry whatever the mirror has, unless the stack's lock file names
the provider already; so it does. Where there is no mirror, nothing is written and nothing changes.

Source: https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
"""

import os
import platform
from collections.abc import Iterable
from pathlib import Path

from infra.provider import schema

LOCK_FILE = ".terraform.lock.hcl"
PLUGINS = Path("terraform.d/plugins")
INSTALLED = Path(".terraform/providers")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def use_mirror(outdir: str | Path, mirrors: Iterable[Path] | None = None) -> Path | None:
    """Points every synthesised stack at the machine's provider mirror.

    Args:
        outdir: What the app was synthesised into (`cdktf.out`).
        mirrors: Where to look; by default `usual_mirrors()`.

    Returns:
        The provider's package, or None where no mirror has the version that the schema was taken from.
    """
    package = find_package(usual_mirrors() if mirrors is None else mirrors)
    if package:
        for stack in sorted(Path(outdir, "stacks").glob("*/")):
            _link(stack / PLUGINS / _path_in_mirror(package), package)
            _unlink_if_dangling(stack / INSTALLED / _path_in_mirror(package))
            _lock(stack / LOCK_FILE)
    return package


def find_package(mirrors: Iterable[Path]) -> Path | None:
    """The provider for this machine, unpacked or zipped, in the first mirror that has it."""
    return next(
        (package for mirror in mirrors for package in map(mirror.joinpath, _packages()) if package.exists()), None
    )


def usual_mirrors() -> list[Path]:
    """Terraform's implied mirrors, then folders of /opt that are laid out like one."""
    data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share"))
    implied = [
        Path.home() / ".terraform.d",
        data / "terraform",
        Path("/usr/local/share/terraform"),
        Path("/usr/share/terraform"),
    ]
    hosts = sorted(Path("/opt").glob(f"*/{schema.load().source.split('/')[0]}"))
    return [folder / "plugins" for folder in implied] + [host.parent for host in hosts]


def _packages() -> tuple[Path, Path]:
    """Where a mirror keeps the provider: an unpacked folder, or the archive as released."""
    known = schema.load()
    machine = platform.machine().lower()
    system = f"{platform.system().lower()}_{ARCHITECTURES.get(machine, machine)}"
    folder = Path(known.source)
    return folder / known.version / system, folder / f"terraform-provider-{folder.name}_{known.version}_{system}.zip"


def _path_in_mirror(package: Path) -> Path:
    return next(path for path in _packages() if package.parts[-len(path.parts) :] == path.parts)


def _link(link: Path, package: Path) -> None:
    if link.is_symlink() and link.readlink() == package:
        return
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(package)


def _unlink_if_dangling(link: Path) -> None:
    """Forget a package that is gone (a plugin cache that was cleared): Terraform would not look again."""
    if link.is_symlink() and not link.exists():
        link.unlink()


def _lock(file: Path) -> None:
    """A lock file with our provider; Terraform adds the checksum of what it finds. One that has it is left alone."""
    known = schema.load()
    head = f'provider "{known.source}" {{\n  version     = "{known.version}"\n  constraints = "{known.version}"\n'
    if not file.exists() or head not in file.read_text(encoding="utf-8"):
        file.write_text(f"{head}}}\n", encoding="utf-8")
