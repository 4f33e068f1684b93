"""A Lambda function's code as a zip whose bytes depend on nothing but its files: the same commit, the same plan."""

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from infra.images import PROJECT

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""


@dataclass(frozen=True)
class LambdaCode:
    """Project files at the paths they are imported by."""

    content: bytes

    @classmethod
    def of(cls, *paths: str) -> "LambdaCode":
        """Zip these files of the project (paths from its root)."""
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in sorted(paths):
                entry = zipfile.ZipInfo(path, EPOCH)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, (PROJECT / path).read_bytes())
        return cls(buffer.getvalue())

    @property
    def sha256_base64(self) -> str:
        """The hash that Terraform and Lambda compare, to see whether code changed."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()

    def write(self, folder: Path) -> Path:
        """Write it under a name of its own content."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(self.content).hexdigest()[:16]}.zip"
        path.write_bytes(self.content)
        return path
