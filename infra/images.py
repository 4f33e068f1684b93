"""What goes into each image, and the tag that says so: the infrastructure and the build share this one computation."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import monitoring.contract
import serving.contract
import training.contract

TRAINING = training.contract.IMAGE
SERVING = serving.contract.IMAGE
MONITORING = monitoring.contract.IMAGE
IMAGES = (TRAINING, SERVING, MONITORING)
PROJECT = Path(__file__).resolve().parent.parent
_COPY = re.compile(r"^COPY[ \t]+(?P<words>(?:(?!--from)\S+[ \t]+)+)\S+[ \t]*$", re.MULTILINE)
TAG_LENGTH = 16


def dockerfile(image: str) -> Path:
    """The image's Dockerfile; its build context is the project's root."""
    return PROJECT / image / "Dockerfile"


def contents(image: str) -> list[Path]:
    """Every file that goes into the image: its Dockerfile and what the COPY lines name, in a fixed order."""
    recipe = dockerfile(image)
    files = {recipe}
    for source in _sources(recipe.read_text(encoding="utf-8")):
        files.update(_files(PROJECT / source))
    return sorted(files)


@cache
def tag(image: str) -> str:
    """The content hash that tags an image: the same files, the same tag, on any machine."""
    digest = hashlib.sha256()
    for path in contents(image):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:TAG_LENGTH]


def _sources(recipe: str) -> Iterator[str]:
    for line in _COPY.finditer(recipe.replace("\\\n", " ")):
        yield from (word for word in line["words"].split() if not word.startswith("--"))


def _files(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise FileNotFoundError(f"a Dockerfile copies {path.relative_to(PROJECT)}, which does not exist")
    candidates = path.rglob("*") if path.is_dir() else [path]
    return (file for file in candidates if file.is_file() and "__pycache__" not in file.parts)
