"""`model.tar.gz` is unpacked as what it should be, or refused: nothing is written outside its folder."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.core import artifact
from serving.core.artifact import unpack
from serving.core.errors import ArtifactError

Edit = Callable[[tarfile.TarInfo], None]


def write_archive(path: Path, files: dict[str, bytes], edit: Edit = lambda _: None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            edit(member)
            archive.addfile(member, io.BytesIO(content))
    return path


def as_type(kind: bytes, target: str = "/etc/passwd") -> Edit:
    def edit(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, target, 0

    return edit


def test_files_are_unpacked_whether_or_not_the_archive_lists_its_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.txt").write_bytes(b"tree" * 100_000)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(source, arcname=".")
    unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    unpack(write_archive(tmp_path / "flat.tar.gz", {"model.txt": b"tree"}), tmp_path / "flat")
    assert (tmp_path / "out" / "model.txt").read_bytes() == b"tree" * 100_000
    assert (tmp_path / "flat" / "model.txt").read_bytes() == b"tree"


@pytest.mark.parametrize(
    ("name", "edit", "reason"),
    [
        ("../escaped", lambda _: None, "leads out of its folder"),
        ("a/../../escaped", lambda _: None, "leads out of its folder"),
        ("/tmp/escaped", lambda _: None, "leads out of its folder"),  # noqa: S108 - that it is not written is the point
        ("link", as_type(tarfile.SYMTYPE), "no regular file"),
        ("link", as_type(tarfile.LNKTYPE), "no regular file"),
        ("device", as_type(tarfile.CHRTYPE), "no regular file"),
        ("pipe", as_type(tarfile.FIFOTYPE), "no regular file"),
    ],
)
def test_what_is_no_plain_file_inside_is_refused(tmp_path: Path, name: str, edit: Edit, reason: str) -> None:
    archive = write_archive(tmp_path / "model.tar.gz", {name: b""}, edit)
    with pytest.raises(ArtifactError, match=reason):
        unpack(archive, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["model.tar.gz", "out"]


def test_too_many_files_or_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "model.tar.gz", {f"{number}": b"1234" for number in range(5)})
    monkeypatch.setattr(artifact, "MAX_FILES", 4)
    with pytest.raises(ArtifactError, match="more than 4 files"):
        unpack(archive, tmp_path / "many")
    monkeypatch.setattr(artifact, "MAX_FILES", 5)
    monkeypatch.setattr(artifact, "MAX_BYTES", 19)
    with pytest.raises(ArtifactError, match="19 bytes"):
        unpack(archive, tmp_path / "large")


def test_an_archive_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = write_archive(tmp_path / "whole.tar.gz", {"model.txt": bytes(range(256)) * 20}).read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:length])
        with pytest.raises(ArtifactError):
            unpack(tmp_path / "cut.tar.gz", tmp_path / "out")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(20, 10_000), flip=st.integers(1, 255))
def test_a_flipped_byte_is_refused_unless_it_is_padding(tmp_path: Path, position: int, flip: int) -> None:
    model = bytes(range(256)) * 20
    content = bytearray(write_archive(tmp_path / "whole.tar.gz", {"model.txt": model}).read_bytes())
    content[20 + position % (len(content) - 20)] ^= flip
    (tmp_path / "flipped.tar.gz").write_bytes(content)
    try:
        unpack(tmp_path / "flipped.tar.gz", tmp_path / "out")
    except ArtifactError:
        return
    assert (tmp_path / "out" / "model.txt").read_bytes() == model  # a bit that deflate leaves unused


def test_no_archive_and_an_empty_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no model archive"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    with pytest.raises(ArtifactError, match="is empty"):
        unpack(write_archive(tmp_path / "model.tar.gz", {}), tmp_path / "out")
