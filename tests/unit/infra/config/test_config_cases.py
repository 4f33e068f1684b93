"""Every file in tests/config_cases is a test: `<model>.happy.yaml` loads, `<model>.error.<what>.yaml` says what its
first comment lines say. Files in `environments` are environment files. To add a test, add a file."""

import shutil
from pathlib import Path

import pytest

from infra.config import ConfigError, environment_names, load_environment, load_model

CASES = Path(__file__).parents[3] / "config_cases"
ENVIRONMENTS = CASES / "environments"


def cases(folder, kind):
    return [pytest.param(path, id=path.name) for path in sorted(folder.glob(f"*.{kind}.*"))]


def said(path, root):
    """Everything that is wrong with a model file, in any environment."""
    problems = set()
    for environment in environment_names(root):
        try:
            load_model(path.stem, load_environment(environment, root), root)
        except ConfigError as error:
            problems |= set(error.problems)
    return str(ConfigError(problems)).splitlines()


def expected(case):
    lines = case.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("# ") for line in lines if line.startswith("# infra/")]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("models", "environments"):
        (tmp_path / "infra" / folder).mkdir(parents=True)
    for name in ("local", "prod"):
        shutil.copy(ENVIRONMENTS / f"{name}.happy.yaml", tmp_path / "infra/environments" / f"{name}.yaml")
    return tmp_path / "infra"


def placed(case, folder):
    return Path(shutil.copy(case, folder / f"{case.name.split('.')[0]}.yaml"))


@pytest.mark.parametrize("case", cases(CASES, "happy"))
def test_a_happy_model_file_loads_in_every_environment(case, root):
    assert said(placed(case, root / "models"), root) == []


@pytest.mark.parametrize("case", cases(CASES, "error"))
def test_a_wrong_model_file_tells_every_problem_with_its_line(case, root):
    assert said(placed(case, root / "models"), root) == expected(case)


@pytest.mark.parametrize("case", cases(ENVIRONMENTS, "happy"))
def test_a_happy_environment_file_loads(case, root):
    path = placed(case, root / "environments")
    assert load_environment(path.stem, root).name == path.stem


@pytest.mark.parametrize("case", cases(ENVIRONMENTS, "error"))
def test_a_wrong_environment_file_tells_every_problem_with_its_line(case, root):
    path = placed(case, root / "environments")
    with pytest.raises(ConfigError) as caught:
        load_environment(path.stem, root)
    assert str(caught.value).splitlines() == expected(case)


def test_every_case_says_whether_it_is_happy_or_what_its_error_is():
    for case in [*CASES.glob("*.yaml"), *ENVIRONMENTS.glob("*.yaml")]:
        kind = case.name.split(".")[1:-1]
        assert kind == ["happy"] or (kind[0] == "error" and len(kind) == 2 and expected(case)), case.name
