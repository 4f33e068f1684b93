"""What editors and people read: a JSON Schema for each kind of file, and a reference of all keys."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import ModelSchema

from infra.config.base import Section
from infra.config.described import descriptions
from infra.config.environment import EnvironmentConfig
from infra.config.model import ModelConfig
from infra.config.reference import reference
from infra.config.yaml_source import shown
from infra.errors import CheckFailed

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FOLDER: Final = Path(__file__).parent
REFERENCE: Final = FOLDER.parents[1] / "docs" / "reference"


def model_schema() -> Schema:
    """JSON Schema of a model file, overlays included."""
    schema = _schema(ModelConfig)
    overlays = {f"{name}Overlay": _partial(section) for name, section in schema["$defs"].items()}
    whole = _partial({key: value for key, value in schema.items() if key not in ("$defs", "$schema")})
    schema["$defs"] |= {**overlays, "ModelOverlay": {**whole, "description": "What differs in one environment."}}
    schema["properties"]["environments"] = {
        "description": "What differs in which environment: mappings merge, lists and values replace.",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/ModelOverlay"},
    }
    return schema


def environment_schema() -> Schema:
    """JSON Schema of an environment file; the name may be left to the file's."""
    schema = _schema(EnvironmentConfig)
    schema["required"].remove("name")
    return schema


def files() -> dict[Path, str]:
    """Every generated file, with the text it should hold."""
    model, environment = model_schema(), environment_schema()
    return {
        FOLDER / "model.schema.json": _text(model),
        FOLDER / "environment.schema.json": _text(environment),
        REFERENCE / "model.md": reference("Model file", "infra/models/<model>.yaml", _schema(ModelConfig)),
        REFERENCE / "environment.md": reference(
            "Environment file", "infra/environments/<environment>.yaml", environment
        ),
    }


def write_files() -> list[str]:
    """Write every generated file; returns their paths."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [shown(path) for path in files()]


def check_files() -> list[str]:
    """Compare every generated file with what it should hold; returns their paths.

    Raises:
        CheckFailed: a file is missing or out of step.
    """
    stale = [path for path, text in files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if stale:
        raise CheckFailed("\n".join(f"{shown(path)} is out of step: run `sagestack schema`" for path in stale))
    return [shown(path) for path in files()]


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(section: type[Section]) -> Schema:
    schema: Schema = _tidy(section.model_json_schema(schema_generator=_Described))
    return {"$schema": DIALECT, **schema}


class _Described(GenerateJsonSchema):
    """With the fields' docstrings."""

    def model_schema(self, schema: ModelSchema) -> Schema:
        document = super().model_schema(schema)
        section: type[Section] = schema["cls"]
        for name, text in descriptions(section).items():
            document["properties"][name]["description"] = text
        return document


def _tidy(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Without pydantic's titles, and without the defaults of whole sections, which their keys give one by one."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    noise = [key for key in node if key == "title" and isinstance(node[key], str)]
    noise += [key for key in node if key == "default" and isinstance(node[key], dict)]
    return {key: _tidy(value) for key, value in node.items() if key not in noise}


def _partial(node: Any) -> Any:  # noqa: ANN401 - JSON
    """The same, with nothing required: an overlay says only what differs, and seldom which of a union it speaks of."""
    if isinstance(node, list):
        return [_partial(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _partial(value) for key, value in node.items() if key != "required"}
    if isinstance(node.get("$ref"), str):
        kept["$ref"] = f"{node['$ref']}Overlay"
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    return kept
