"""The OpenAPI description of the server, with the served model's own inputs in it."""

import csv
import io
import json
from pathlib import Path
from typing import Any, Final

import orjson

from serving.contract import CSV, INVOCATIONS_PATH, JSON_LINES
from serving.core.signature import Input, Signature

OPENAPI: Final = Path(__file__).with_name("openapi.json")
EXAMPLE_NUMBER: Final = 1.5
_SHOWN_CATEGORIES: Final = 5
Document = dict[str, Any]


def described(signature: Signature) -> bytes:
    """The committed description as JSON: its rows, columns and examples are those of one model."""
    document = json.loads(OPENAPI.read_bytes())
    values = {one.name: _value(one) for one in signature.inputs}
    schemas = document["components"]["schemas"]
    schemas["Row"] |= {"oneOf": [_in_order(list(values.values())), _by_name(values)]}
    schemas["Columns"] = _by_name(
        {name: {"type": "array", "minItems": 1, "items": one} for name, one in values.items()}
    )
    content = document["paths"][INVOCATIONS_PATH]["post"]["requestBody"]["content"]
    content[CSV]["example"], content[JSON_LINES]["example"] = _examples(signature)
    return orjson.dumps(document)


def _in_order(values: list[Document]) -> Document:
    return {"type": "array", "prefixItems": values, "minItems": len(values), "maxItems": len(values)}


def _by_name(values: dict[str, Document]) -> Document:
    return {"type": "object", "properties": values, "required": list(values), "additionalProperties": False}


def _value(one: Input) -> Document:
    if one.type == "numeric":
        return {"title": one.name, "type": ["number", "null"]}
    examples = list(one.categories[:_SHOWN_CATEGORIES])
    return {"title": one.name, "type": ["string", "null"], "description": "A category.", "examples": examples}


def _examples(signature: Signature) -> tuple[str, str]:
    """A row as CSV, and as JSON Lines."""
    row = [one.categories[0] if one.categories else EXAMPLE_NUMBER for one in signature.inputs]
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue(), json.dumps(row, ensure_ascii=False) + "\n"
