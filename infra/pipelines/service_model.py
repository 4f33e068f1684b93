"""SageMaker's own description of its requests, read from botocore's data files without importing botocore (0.04 s)."""

import gzip
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

Shape = dict[str, Any]
"""A shape of the service model: type, members or member or key and value, required, min, max, enum, pattern."""
_API_VERSION: Final = "2017-07-24"
_JAVA: Final = ((r"\p{L}", r"\w"), (r"\p{Z}", " "), (r"\p{N}", r"\d"), ("${1,128}", ""), ("${1,256}", ""))
"""What Python's regular expressions spell otherwise, and two slips in the model (a `$` repeated)."""


@cache
def _service() -> dict[str, Any]:
    package = find_spec("botocore")
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError(
            "botocore is not installed: the pipeline definition is checked against its data files"
        )
    folder = Path(package.submodule_search_locations[0]) / "data" / "sagemaker" / _API_VERSION
    document: dict[str, Any] = json.loads(gzip.decompress((folder / "service-2.json.gz").read_bytes()))
    return document


def shape(name: str) -> Shape:
    """The shape called `name`."""
    found: Shape = _service()["shapes"][name]
    return found


def input_shape(operation: str) -> str:
    """The name of an operation's request shape."""
    name: str = _service()["operations"][operation]["input"]["shape"]
    return name


def output_shape(operation: str) -> str:
    """The name of an operation's response shape."""
    name: str = _service()["operations"][operation]["output"]["shape"]
    return name


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern of the service model, which is Java's; None for the few that Python cannot read."""
    for java, python in _JAVA:
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None
