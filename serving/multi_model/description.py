"""The OpenAPI description of multi-model mode: the one-model server's, with other paths in the place of its own."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from serving.contract import EXECUTION_PARAMETERS_PATH, INVOCATIONS_PATH, MODELS_PATH
from serving.described import OPENAPI

PATHS: Final = Path(__file__).with_name("openapi.json")


@cache
def description() -> bytes:
    """The description, as JSON; invocations are described once, in the one-model server's."""
    document, added = json.loads(OPENAPI.read_text()), json.loads(PATHS.read_text())
    invoke = document["paths"].pop(INVOCATIONS_PATH)["post"]
    del document["paths"][EXECUTION_PARAMETERS_PATH]
    invoke["responses"]["404"] = _not_loaded(added)
    document["paths"] |= added["paths"]
    document["paths"][f"{MODELS_PATH}/{{name}}/invoke"]["post"] = invoke
    ping = document["paths"]["/ping"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    ping["properties"] = {"status": {"const": "ready"}, "models": {"type": "integer", "minimum": 0}}
    document["components"]["schemas"] |= added["schemas"]
    return json.dumps(document, indent=2).encode() + b"\n"


def _not_loaded(added: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = added["paths"][f"{MODELS_PATH}/{{name}}"]["get"]["responses"]["404"]
    return response
