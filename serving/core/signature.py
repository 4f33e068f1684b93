"""What a model takes and gives: `signature.json`, beside the model file in every artifact (docs/architecture.md)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from serving.contract import SIGNATURE_FILE, SIGNATURE_SCHEMA_VERSION
from serving.core.errors import ArtifactError

Problem = Literal["binary-classification", "regression"]
Choice = TypeVar("Choice", bound=str)
InputType = Literal["numeric", "categorical"]

PROBLEMS: Final[tuple[Problem, ...]] = ("binary-classification", "regression")
LIGHTGBM: Final = "lightgbm"
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
    """A score of at least this is labelled 1; None for a regression, which has no label."""

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
    return content


def _to_document(signature: Signature) -> dict[str, Any]:
    output = {"name": SCORE} if signature.threshold is None else {"name": SCORE, "threshold": signature.threshold}
    return {
        "schema_version": SIGNATURE_SCHEMA_VERSION,
        "model": signature.model,
        "problem": signature.problem,
        "format": LIGHTGBM,
        "library": {"name": LIGHTGBM, "version": signature.library_version},
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
    _one_of(_take(root, "format", str), "format", (LIGHTGBM,))
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
        threshold=float(_take(output, "threshold", (int, float))) if problem == "binary-classification" else None,
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
    categories = tuple(_take(document, "categories", list))
    if not all(isinstance(one, str) for one in categories) or len(set(categories)) != len(categories):
        raise ArtifactError(f"{SIGNATURE_FILE}: the categories of input {name} must be distinct texts")
    return Input(name, "categorical", categories)


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
