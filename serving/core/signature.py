"""What a model takes and gives: `signature.json`, beside the model file in every artifact (docs/architecture.md)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from serving.contract import SIGNATURE_FILE, SIGNATURE_SCHEMA_VERSION
from serving.core.errors import ArtifactError
from serving.core.pickles import is_pickle, refuse_pickle

Problem = Literal["binary-classification", "multiclass-classification", "regression"]
Format = Literal["lightgbm", "xgboost", "onnx"]
Choice = TypeVar("Choice", bound=str)
InputType = Literal["numeric", "categorical"]

BINARY: Final = "binary-classification"
MULTICLASS: Final = "multiclass-classification"
PROBLEMS: Final[tuple[Problem, ...]] = (BINARY, MULTICLASS, "regression")
LIGHTGBM: Final = "lightgbm"
XGBOOST: Final = "xgboost"
ONNX: Final = "onnx"
FORMATS: Final[tuple[Format, ...]] = (LIGHTGBM, XGBOOST, ONNX)
SCORE: Final = "score"


@dataclass(frozen=True)
class Input:
    """One feature. A category's code is its index in `categories`; numeric inputs have none."""

    name: str
    type: InputType
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signature:
    """A model's inputs, in the order of CSV columns and of the model's features, and what its score means."""

    model: str
    problem: Problem
    library_version: str
    model_file: str
    model_sha256: str
    inputs: tuple[Input, ...]
    threshold: float | None = None
    """A binary classification's score of at least this is labelled 1."""
    format: Format = LIGHTGBM
    library: str = LIGHTGBM
    """The package that trained or exported the model; its version is `library_version`."""
    classes: tuple[str, ...] = ()
    """A multi-class classification's labels, in the order of the model's probabilities."""

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs' names, in order."""
        return tuple(one.name for one in self.inputs)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the categorical inputs."""
        return tuple(index for index, one in enumerate(self.inputs) if one.type == "categorical")


def sha256(content: bytes) -> str:
    """The digest that `signature.json` carries for its model file."""
    return hashlib.sha256(content).hexdigest()


def write_signature(signature: Signature, folder: Path) -> None:
    """Write `signature.json` into the model's folder."""
    text = json.dumps(_to_document(signature), indent=1, ensure_ascii=False)
    (folder / SIGNATURE_FILE).write_text(text + "\n", encoding="utf-8")


def read_signature(folder: Path) -> Signature:
    """Read and check `signature.json`.

    Raises:
        ArtifactError: it is absent, is not JSON, has a newer schema version, or breaks a rule.
    """
    path = folder / SIGNATURE_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        refuse_pickle(*(file.name for file in folder.iterdir()) if folder.is_dir() else ())
        raise ArtifactError(f"the model artifact has no {SIGNATURE_FILE}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{SIGNATURE_FILE} cannot be read as JSON: {error}") from None
    return _from_document(document)


def read_model(signature: Signature, folder: Path) -> bytes:
    """The bytes of the model file, which are those that were signed.

    Raises:
        ArtifactError: the file is absent, or its digest is another.
    """
    try:
        content = (folder / signature.model_file).read_bytes()
    except OSError:
        raise ArtifactError(f"the model file {signature.model_file} named in {SIGNATURE_FILE} is missing") from None
    if (digest := sha256(content)) != signature.model_sha256:
        raise ArtifactError(
            f"{signature.model_file} is not the file that {SIGNATURE_FILE} describes: "
            f"its sha256 is {digest[:12]}…, expected {signature.model_sha256[:12]}…"
        )
    if is_pickle(content):
        refuse_pickle("pickle")
    return content


def _to_document(signature: Signature) -> dict[str, Any]:
    output: dict[str, Any] = {"name": SCORE}
    output |= {} if signature.threshold is None else {"threshold": signature.threshold}
    output |= {"classes": list(signature.classes)} if signature.classes else {}
    return {
        "schema_version": SIGNATURE_SCHEMA_VERSION,
        "model": signature.model,
        "problem": signature.problem,
        "format": signature.format,
        "library": {"name": signature.library, "version": signature.library_version},
        "model_file": signature.model_file,
        "model_sha256": signature.model_sha256,
        "inputs": [_input_document(one) for one in signature.inputs],
        "output": output,
    }


def _input_document(one: Input) -> dict[str, Any]:
    document: dict[str, Any] = {"name": one.name, "type": one.type}
    return document | {"categories": list(one.categories)} if one.type == "categorical" else document


def _from_document(document: object) -> Signature:
    root = _section(document, SIGNATURE_FILE)
    version = _take(root, "schema_version", int)
    if version != SIGNATURE_SCHEMA_VERSION:
        raise ArtifactError(
            f"{SIGNATURE_FILE} has schema_version {version}; this server reads {SIGNATURE_SCHEMA_VERSION}: "
            "serve the model with the release that trained it"
        )
    problem = _one_of(_take(root, "problem", str), "problem", PROBLEMS)
    model_format = _take(root, "format", str)
    refuse_pickle(model_format, _take(root, "model_file", str))
    library = _section(_take(root, "library", dict), "library")
    output = _section(_take(root, "output", dict), "output")
    model_file = _take(root, "model_file", str)
    if Path(model_file).name != model_file:
        raise ArtifactError(
            f"{SIGNATURE_FILE}: model_file is {model_file!r}: it must be a file beside {SIGNATURE_FILE}"
        )
    return Signature(
        model=_take(root, "model", str),
        problem=problem,
        library_version=_take(library, "version", str),
        model_file=model_file,
        model_sha256=_take(root, "model_sha256", str),
        inputs=_inputs(_take(root, "inputs", list)),
        threshold=float(_take(output, "threshold", (int, float))) if problem == BINARY else None,
        format=_one_of(model_format, "format", FORMATS),
        library=_take(library, "name", str),
        classes=_texts(_take(output, "classes", list), "output.classes", 3) if problem == MULTICLASS else (),
    )


def _inputs(documents: Sequence[object]) -> tuple[Input, ...]:
    inputs = tuple(_input(_section(document, f"inputs[{index}]")) for index, document in enumerate(documents))
    if not inputs:
        raise ArtifactError(f"{SIGNATURE_FILE}: inputs is empty: a model takes at least one")
    names = [one.name for one in inputs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ArtifactError(f"{SIGNATURE_FILE}: inputs has {twice!r} twice")
    return inputs


def _input(document: Mapping[str, object]) -> Input:
    name, kind = _take(document, "name", str), _take(document, "type", str)
    if kind == "numeric":
        return Input(name, "numeric")
    _one_of(kind, f"the type of input {name}", ("categorical",))
    return Input(name, "categorical", _texts(_take(document, "categories", list), f"the categories of input {name}"))


def _texts(values: Sequence[object], what: str, fewest: int = 0) -> tuple[str, ...]:
    texts = tuple(value for value in values if isinstance(value, str))
    if len(texts) != len(values) or len(set(texts)) != len(texts):
        raise ArtifactError(f"{SIGNATURE_FILE}: {what} must be distinct texts")
    if len(texts) < fewest:
        raise ArtifactError(f"{SIGNATURE_FILE}: {what} has {len(texts)} entries, expected {fewest} or more")
    return texts


def _section(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ArtifactError(f"{SIGNATURE_FILE}: {what} must be an object")
    return value


def _take(section: Mapping[str, object], key: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - checked here
    value = section.get(key)
    if value is None:
        raise ArtifactError(f"{SIGNATURE_FILE} lacks {key}")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ArtifactError(f"{SIGNATURE_FILE}: {key} is {value!r:.60}, which is of the wrong type")
    return value


def _one_of(value: str, what: str, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise ArtifactError(f"{SIGNATURE_FILE}: {what} is {value!r:.60}; this server knows {', '.join(choices)}")
