"""Files that a stack brings along."""

from pathlib import Path

from infra.provider.framework import AssetType, Construct, TerraformAsset


def file_asset(scope: Construct, id_: str, path: Path) -> str:
    """Copies a file into the stack's output; gives its path as Terraform finds it from there.

    The path has the file's hash in it, so that a changed file is a changed argument.
    """
    return TerraformAsset(scope, id_, path=str(path.resolve()), type=AssetType.FILE).path
