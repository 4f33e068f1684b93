"""Who may import whom (docs/architecture.md), and how long files and functions may be; offenders by file and line."""

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
IMAGES = ("training", "serving", "monitoring")
CONTRACTS = tuple(f"{image}.contract" for image in IMAGES)
SERVED = ("serving.core", "serving.contract")

MAY_IMPORT = {
    "infra.main": ("infra.stacks", "infra.provider", "infra.config", "infra.errors"),
    "infra.stacks": ("infra.constructs", "infra.provider", "infra.config", "infra.naming", *CONTRACTS),
    "infra.constructs": (
        "infra.provider",
        "infra.config",
        "infra.naming",
        "infra.images",
        "infra.pipelines",
        "infra.prices",
        *CONTRACTS,
    ),
    "infra.pipelines": ("infra.config", "infra.naming", "infra.errors", *CONTRACTS),
    "infra.provider": ("infra.errors",),
    "infra.provider.regenerate": ("infra.provider", "infra.errors", "infra.toolchain"),
    "infra.config": ("infra.naming", "infra.errors", "infra.prices", *CONTRACTS),
    "infra.naming": CONTRACTS,
    "infra.images": CONTRACTS,
    "infra.errors": (),
    "infra.prices": (),
    "infra.demo": ("infra", *CONTRACTS, *SERVED, "training.metrics", "training.evaluate"),
    "infra.plan.simulate": ("infra", *CONTRACTS, "monitoring.governor.rules", "monitoring.governor.spec"),
    "infra": ("infra", *CONTRACTS),
    "training": SERVED,
    "monitoring": SERVED,
    "serving.core": ("serving.contract",),
    "serving": (),
}
"""What of the project each room may import beside itself; the longest name that fits a module is its room."""

ONLY_IN = {
    "cdktf": ("infra.provider",),
    "cdktn": ("infra.provider",),
    "jsii": ("infra.provider",),
    "constructs": ("infra.provider",),
    "moto": ("infra.local",),
    "infra.local": ("infra.local", "infra.demo"),
}
"""Packages that one room knows, and the room that only those know who start it."""

NOT_IN = {"infra.config": ("boto3", "botocore"), "infra.constructs": ("boto3",), "infra.stacks": ("boto3",)}
"""Packages that would make a room slow, or impure."""

RELATIVE = "."
LONGEST_FILE, LONGEST_FUNCTION = 300, 50
SOURCES = sorted(path for top in ("infra", *IMAGES) for path in (PROJECT / top).rglob("*.py"))


def module_of(path):
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in SOURCES}


def imports(source):
    """Every imported module and its line; `from package import module` is an import of the module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if node.level:
                    yield RELATIVE, node.lineno
                    continue
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in MODULES else str(node.module)), node.lineno


def below(module, packages):
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def room_of(module):
    return max((room for room in MAY_IMPORT if below(module, [room])), key=len)


def import_problems(module, source):
    """What `source`, as the module of that name, imports and may not."""
    room = room_of(module)
    for name, line in imports(source):
        top = name.split(".")[0]
        if below(name, ("infra", *IMAGES)) and not below(name, (room, *MAY_IMPORT[room])):
            yield (
                line,
                f"imports {name}, but {room} may import {', '.join(MAY_IMPORT[room]) or 'nothing of the project'}",
            )
        if name == RELATIVE:
            yield line, "imports relatively: write the module's whole name"
        for package, rooms in ONLY_IN.items():
            if below(name, [package]) and not below(module, rooms):
                yield line, f"imports {name}, which is for {', '.join(rooms)} only"
        if top in NOT_IN.get(room, ()):
            yield line, f"imports {name}, which {room} must do without"
        if module in CONTRACTS and top not in sys.stdlib_module_names:
            yield line, f"imports {name}, but a contract is of the standard library only"


def size_problems(source):
    lines = source.count("\n")
    if lines > LONGEST_FILE:
        yield 1, f"has {lines} lines, more than {LONGEST_FILE}: split it"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines, more than {LONGEST_FUNCTION}: split it"


def told(path, problems):
    return [f"{path.relative_to(PROJECT)}:{line}: {message}" for line, message in problems]


def test_every_module_imports_only_what_its_room_may():
    assert [line for path in SOURCES for line in told(path, import_problems(module_of(path), path.read_text()))] == []


def test_no_file_and_no_function_is_too_long():
    assert [line for path in SOURCES for line in told(path, size_problems(path.read_text()))] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("infra.config.model", "import boto3"),
        ("infra.config.model", "from cdktf import App"),
        ("infra.config.model", "from infra.provider import aws"),
        ("infra.constructs.endpoint", "import cdktf"),
        ("infra.constructs.endpoint", "from infra.stacks import ModelStack"),
        ("infra.constructs.endpoint", "from serving.server import serve"),
        ("infra.main", "from infra.constructs import Endpoint"),
        ("infra.release.deploy", "from infra.local.lifecycle import find"),
        ("infra.local.jobs.api", "from training.train import train"),
        ("serving.server", "from infra.naming import Names"),
        ("serving.server", "from training.contract import IMAGE"),
        ("training.train", "from monitoring import contract"),
        ("training.train", "from serving.server import serve"),
        ("monitoring.drift", "import training.frames"),
        ("monitoring.contract", "import numpy"),
        ("serving.core.signature", "from serving.server import serve"),
        ("serving.server", "from . import core"),
    ],
)
def test_an_import_against_the_rules_is_found(module, line):
    assert [number for number, _ in import_problems(module, f"\n{line}\n")][:1] == [2]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("infra.constructs.endpoint", "from serving import contract"),
        ("infra.naming", "from monitoring.contract import BASELINE_FILE"),
        ("infra.provider.resource", "import cdktf"),
        ("infra.demo.cloud", "from infra.local import lifecycle"),
        ("training.train", "from serving.core import signature"),
        ("monitoring.drift", "from monitoring import capture"),
        ("monitoring.contract", "from typing import Final"),
    ],
)
def test_an_import_by_the_rules_passes(module, line):
    assert list(import_problems(module, line)) == []


def test_a_long_file_and_a_long_function_are_found():
    assert [line for line, _ in size_problems("x = 1\n" * (LONGEST_FILE + 1))] == [1]
    body = "    x = 1\n" * LONGEST_FUNCTION
    assert [line for line, _ in size_problems(f"\ndef long():\n{body}")] == [2]
