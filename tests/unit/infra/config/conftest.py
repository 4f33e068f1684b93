"""A small project of its own for each test."""

from pathlib import Path

import pytest

CASES = Path(__file__).parents[3] / "config_cases"


class Files:
    """A project in a temporary folder; tests write its files."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "infra"

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def model(self, name, extra=""):
        return self.write(
            f"infra/models/{name}.yaml",
            f"name: {name}\nowner: growth\nproblem: binary-classification\n"
            f"data: {{label: left, time: day}}\nfeatures: {{numeric: [age]}}\n{extra}",
        )


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A project with the environments local and prod, and no model; it is the working folder."""
    for variable in ("SAGESTACK_ENV", "SAGESTACK_ROOT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    files = Files(tmp_path)
    for name in ("local", "prod"):
        text = (CASES / "environments" / f"{name}.happy.yaml").read_text(encoding="utf-8")
        files.write(f"infra/environments/{name}.yaml", text)
    (files.root / "models").mkdir()
    return files
