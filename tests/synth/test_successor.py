"""With cdktn (CDK Terrain) installed instead of cdktf, everything stays as it is. `make test` makes its environment."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SUCCESSOR = PROJECT / ".venvs" / "cdktn" / "bin" / "python"

pytestmark = pytest.mark.skipif(not SUCCESSOR.exists(), reason="there is no .venvs/cdktn: make .venvs/cdktn/.ready")


def run(python, *arguments, **variables):
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": tools} | variables
    answer = subprocess.run(
        [python, "-m", *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def documents(folder):
    """The stacks' JSON without the framework's version; the two also write an object without members differently."""
    return {
        path.parent.name: re.sub(r'"version": "0\.\d+\.0"|(?<=[\[{])\s+(?=[\]}])', "", path.read_text())
        for path in folder.glob("stacks/*/cdk.tf.json")
    }


def test_the_stacks_are_the_same_to_the_byte(tmp_path):
    for name, python in (("cdktf", sys.executable), ("cdktn", SUCCESSOR)):
        run(python, "infra.main", CDKTF_OUTDIR=str(tmp_path / name), JSII_NODE=str(PROJECT / ".venv/bin/node"))
    cdktf, cdktn = documents(tmp_path / "cdktf"), documents(tmp_path / "cdktn")
    assert len(cdktf) >= 2
    assert cdktf == cdktn


def test_the_provider_behaves_the_same():
    output = run(SUCCESSOR, "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/infra/provider")
    assert "passed" in output
    assert "failed" not in output
