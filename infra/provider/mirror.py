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
            link(stack, package)
            _leave_the_cache(stack / INSTALLED / _path_in_mirror(package), package)
            _lock(stack / LOCK_FILE)
    return package


def find_package(mirrors: Iterable[Path], version: str | None = None) -> Path | None:
    """The provider for this machine, unpacked or zipped, in the first mirror that has it.

    Args:
        mirrors: Folders that hold `registry.terraform.io/…`.
        version: Of the provider; by default the one that the schema was taken from.
    """
    paths = _packages(version or schema.load().version)
    return next((package for mirror in mirrors for package in map(mirror.joinpath, paths) if package.exists()), None)


def link(folder: Path, package: Path) -> None:
    """Lets Terraform find the package when it runs in `folder`."""
    place = folder / PLUGINS / _path_in_mirror(package)
    if place.is_symlink() and place.readlink() == package:
        return
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(package)


def usual_mirrors() -> list[Path]:
    """Terraform's implied mirrors, then folders of /opt that are laid out like one."""
    data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share"))
    implied = [
        Path.home() / ".terraform.d",
        data / "terraform",
        Path("/usr/local/share/terraform"),
        Path("/usr/share/terraform"),
    ]
    hosts = sorted(Path("/opt").glob(f"*/{schema.SOURCE.split('/')[0]}"))
    return [folder / "plugins" for folder in implied] + [host.parent for host in hosts]


def _packages(version: str) -> tuple[Path, Path]:
    """Where a mirror keeps the provider: an unpacked folder, or the archive as released."""
    machine = platform.machine().lower()
    system = f"{platform.system().lower()}_{ARCHITECTURES.get(machine, machine)}"
    folder = Path(schema.SOURCE)
    return folder / version / system, folder / f"terraform-provider-{folder.name}_{version}_{system}.zip"


def _path_in_mirror(package: Path) -> Path:
    return Path(*package.parts[package.parts.index(Path(schema.SOURCE).parts[0]) :])


def _leave_the_cache(installed: Path, package: Path) -> None:
    """Link what Terraform has installed to the mirror itself.

    The command lines install by a plugin cache that all projects of a user share, and the last one to install leaves
    its own link there: with that project the provider of every other would go.
    """
    if installed.is_symlink() and installed.readlink() != package:
        installed.unlink()
        installed.symlink_to(package)


def _lock(file: Path) -> None:
    """A lock file with our provider; Terraform adds the checksum of what it finds. One that has it is left alone."""
    version = schema.load().version
    head = f'provider "{schema.SOURCE}" {{\n  version     = "{version}"\n  constraints = "{version}"\n'
    if not file.exists() or head not in file.read_text(encoding="utf-8"):
        file.write_text(f"{head}}}\n", encoding="utf-8")
