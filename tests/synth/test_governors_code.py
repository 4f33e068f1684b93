"""The governor's code: a zip whose bytes depend on its files only, and which needs nothing but them and boto3."""

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.constructs import lambda_code
from infra.constructs.governor import CODE
from infra.constructs.lambda_code import LambdaCode
from monitoring.contract import GOVERNOR_HANDLER

RUNTIME_PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What AWS's Python runtime brings along, by the module's name."""


def test_every_file_of_the_governor_is_deployed():
    package = lambda_code.PROJECT / "monitoring/governor"
    files = {f"monitoring/governor/{path.name}" for path in package.glob("*.py")}
    assert set(CODE) == files | {"monitoring/__init__.py", "monitoring/contract.py"}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The governor's files in a folder of their own, taken for the project."""
    for path in CODE:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(lambda_code.PROJECT / path, target)
    monkeypatch.setattr(lambda_code, "PROJECT", tmp_path)
    return tmp_path


def test_times_and_permissions_of_the_files_change_no_byte(copy):
    before = LambdaCode.of(*CODE)
    for path in CODE:
        os.utime(copy / path, (1_000_000_000, 1_000_000_000))
        (copy / path).chmod(0o600)
    assert LambdaCode.of(*reversed(CODE)) == before


def test_a_changed_file_changes_the_hash(copy):
    before = LambdaCode.of(*CODE)
    (copy / CODE[-1]).write_text("# another governor\n")
    assert LambdaCode.of(*CODE).sha256_base64 != before.sha256_base64


def test_a_zip_is_written_under_a_name_of_its_content(tmp_path):
    code = LambdaCode.of(*CODE)
    path = code.write(tmp_path / "lambda")
    assert path.read_bytes() == code.content
    assert path.stem == hashlib.sha256(code.content).hexdigest()[:16]


def test_the_stack_deploys_these_bytes_and_tells_their_hash(live_stack):
    function = live_stack.only("aws_lambda_function")
    content = (live_stack.path.parent / function["filename"]).read_bytes()
    assert content == LambdaCode.of(*CODE).content
    assert function["source_code_hash"] == base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_its_handler_is_found_with_nothing_but_the_zip_and_boto3_to_import(live_stack, tmp_path):
    function = live_stack.only("aws_lambda_function")
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in RUNTIME_PACKAGES:
        origin = Path(importlib.util.find_spec(name).origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    with zipfile.ZipFile(live_stack.path.parent / function["filename"]) as archive:
        archive.extractall(tmp_path / "task")
    module, _, name = function["handler"].rpartition(".")
    script = f"""
import sys
sys.path[:0] = [{str(tmp_path / "task")!r}, {str(runtime)!r}]
import {module}
assert callable({module}.{name})
assert {module}.__file__.startswith({str(tmp_path)!r}), {module}.__file__
"""
    answer = subprocess.run([sys.executable, "-ISc", script], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert function["handler"] == GOVERNOR_HANDLER
