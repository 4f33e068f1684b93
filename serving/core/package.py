"""Writing `model.tar.gz` for a model that was trained elsewhere: what a model owner calls (docs/serving.md)."""

import gzip
import io
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from serving.contract import SIGNATURE_FILE
from serving.core.predictor import Predictor
from serving.core.signature import Format, Input, Problem, Signature, sha256, write_signature


def write_artifact(
    archive: Path,
    model_file: Path,
    *,
    model: str,
    problem: Problem,
    format: Format,  # noqa: A002 - the key's name in signature.json
    library: str,
    library_version: str,
    inputs: Sequence[Input],
    threshold: float | None = None,
    classes: Sequence[str] = (),
) -> None:
    """Write the archive that the serving image serves: the model file and the signature that describes it.

    The model is loaded first, as the server would load it; the same model gives the same bytes.

    Args:
        archive: where to write, usually `model.tar.gz`.
        model_file: in one of the formats that docs/serving.md names.
        model: the model's name.
        problem: what its output means.
        format: of the model file.
        library: the package that wrote the file, such as `scikit-learn`.
        library_version: that package's version.
        inputs: in the order of the model's features.
        threshold: of a binary classification; a score of at least this is labelled 1.
        classes: of a multi-class classification, in the order of the model's probabilities.

    Raises:
        ArtifactError: the model cannot be read, or is not as described.
    """
    content = model_file.read_bytes()
    signature = Signature(
        model, problem, library_version, model_file.name, sha256(content), tuple(inputs), threshold,
        format, library, tuple(classes),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_signature(signature, folder)
        (folder / model_file.name).write_bytes(content)
        Predictor.load(folder)
        archive.write_bytes(_tar_gz(folder, (SIGNATURE_FILE, model_file.name)))


def _tar_gz(folder: Path, names: Sequence[str]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as members,
    ):
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = (folder / name).stat().st_size
            with (folder / name).open("rb") as file:
                members.addfile(entry, file)
    return packed.getvalue()
