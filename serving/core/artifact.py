"""Unpacking `model.tar.gz` without trusting it."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from serving.core.errors import ArtifactError

MAX_FILES: Final = 100
MAX_BYTES: Final = 4 * 1024**3
_CHUNK: Final = 1024**2


@contextmanager
def unpacked(artifact: Path) -> Iterator[Path]:
    """The folder of an artifact: itself, or a temporary one with what is in the archive.

    Raises:
        ArtifactError: as `unpack`, or there is nothing of that name.
    """
    if artifact.is_dir():
        yield artifact
        return
    if not artifact.is_file():
        raise ArtifactError("there is no such file or folder")
    with TemporaryDirectory(prefix="sagestack-model-") as folder:
        unpack(artifact, Path(folder))
        yield Path(folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a gzipped tar archive into `folder`, which is made if need be.

    Raises:
        ArtifactError: not such an archive, truncated, a link or device in it, a path that leads outside, too many files
            (100) or bytes (4 GiB).
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
            _unpack_members(members, folder)
            while stream.read(_CHUNK):
                """The checksum stands at the end."""
    except FileNotFoundError:
        raise ArtifactError(f"there is no model archive {archive.name}") from None
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ArtifactError(f"{archive.name} is not a readable gzipped tar archive: {error}") from None


def _unpack_members(members: tarfile.TarFile, folder: Path) -> None:
    files, left = 0, MAX_BYTES
    for member in members:
        if member.isdir():
            continue
        files, left = files + 1, left - member.size
        if files > MAX_FILES or left < 0:
            raise ArtifactError(f"the model archive has more than {MAX_FILES} files or {MAX_BYTES} bytes")
        _unpack_file(members, member, folder)
    if not files:
        raise ArtifactError("the model archive is empty")


def _unpack_file(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = PurePosixPath(member.name)
    if not member.isreg():
        raise ArtifactError(f"the model archive has {member.name!r:.60}, which is no regular file")
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ArtifactError(f"the model archive has {member.name!r:.60}, which leads out of its folder")
    source = members.extractfile(member)
    if source is None:
        raise ArtifactError(f"the model archive has {member.name!r:.60} without content")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
