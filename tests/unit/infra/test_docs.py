"""The documentation says what is: links, commands, paths, keys and examples are held against the project."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from rich.console import Console

from infra import cli
from infra.config import load_environment, load_model
from infra.config.errors import ConfigError
from infra.demo import readme
from infra.demo.ending import OUTPUT, say
from infra.demo.progress import Progress
from infra.demo.record import Record
from infra.release import commands as release

PROJECT = Path(__file__).parents[3]
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DEPLOY = (PROJECT / "docs/deploy.md").read_text(encoding="utf-8")


def names(pages):
    return [str(page.relative_to(PROJECT)) for page in pages]


def prose(text):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def code(text):
    """A page's code: blocks of commands, and what stands between backticks."""
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", prose(text))])


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text(encoding="utf-8"))):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield target, (page.parent / path).resolve() if path else page, anchor


def sagestack_commands():
    """Every command of `sagestack`, those of its groups with the group's name before."""
    for name, target, _ in cli.COMMANDS:
        yield name
        module, attribute = target.split(":")
        group = getattr(__import__(module, fromlist=[attribute]), attribute)
        if isinstance(group, typer.Typer):
            yield from (f"{name} {command}" for command in typer.main.get_group(group).commands)


def section(text, start, end):
    return text[text.index(start) : text.index(end)]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_somewhere(page):
    for target, path, anchor in links(page):
        assert path.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), f"{target} names no heading"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_make_target_named_exists(page):
    targets = set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|[`( ])make (?:-s )?([a-z][a-z-]*)", code(page.read_text(encoding="utf-8")), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_sagestack_command_named_exists(page):
    known = set(sagestack_commands())
    text = code(page.read_text(encoding="utf-8"))
    named = re.findall(r"(?:^|[\s`$])sagestack ((?:local )?[a-z]+(?:-[a-z]+)*)\b", text, re.MULTILINE)
    assert set(named) <= known


@pytest.mark.parametrize(
    "name", ["models", "approve", "promote", "preflight", "deploy", "verify", "rollback", "receipts", "retire"]
)
def test_the_options_of_release_commands_on_the_pages_exist(name):
    command = typer.main.get_command(single(getattr(release, name)))
    options = {option for parameter in command.params for option in parameter.opts}
    for page in PAGES:
        for line in re.findall(rf"sagestack {name}\b(.*)", code(page.read_text(encoding="utf-8"))):
            words = shlex.split(line, comments=True)
            assert {word for word in words if word.startswith("--")} <= options


def single(function):
    app = typer.Typer()
    app.command()(function)
    return app


def test_every_runbook_named_by_an_alarm_exists_and_every_runbook_is_named():
    sources = [path.read_text(encoding="utf-8") for path in (PROJECT / "infra/constructs").glob("*.py")]
    named = {name for source in sources for name in re.findall(r'(?:runbook="|docs/runbooks/)([a-z-]+)', source)}
    assert named == {path.stem for path in (PROJECT / "docs/runbooks").glob("*.md")}


@pytest.mark.parametrize("path", sorted((PROJECT / "docs/runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_and_what_to_do_first(path):
    text = path.read_text(encoding="utf-8")
    assert "**What it means.**" in text
    for heading in ("## First\n", "## Likely causes\n", "## Hold\n"):
        assert heading in text


def test_every_path_of_the_readmes_tree_exists():
    tree = re.search(r"```text\n(infra/models/.*?)```", README, re.DOTALL)[1]
    paths = [line.split()[0] for line in tree.splitlines()]
    assert len(paths) > 10
    assert [path for path in paths if not (PROJECT / path).exists()] == []


def test_the_readmes_tree_has_every_room():
    rooms = {f"infra/{path.name}/" for path in (PROJECT / "infra").iterdir() if (path / "__init__.py").exists()}
    assert rooms - set(re.findall(r"^(infra/\S+)", README, re.MULTILINE)) == set()


def test_every_key_of_the_demos_summary_is_described_and_no_other():
    page = (PROJECT / "docs/demo.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(\w+)` \|", page[page.index("## `summary.json`") :], re.MULTILINE)
    assert described == list(Record(set_up_seconds=0).summary())


def test_the_readme_shows_what_the_demo_printed_and_keeps_the_rest(tmp_path):
    record = Record(set_up_seconds=0, auc_with={"2013-05": 0.7}, auc_without={"2013-05": 0.6})
    progress = Progress(Console(quiet=True), record)
    with progress.step("Something") as done:
        done("came of [bold]it[/bold]")
    say(progress, record, tmp_path, kept=False)
    output = (tmp_path / OUTPUT).read_text(encoding="utf-8")
    assert "✓ Something" in output
    assert "came of it\n" in output
    page = readme.shown(README, output)
    assert f"```text\n{output}```" in page
    assert page.replace(output, "") == readme.shown(README, "")


@pytest.fixture
def project(tmp_path):
    """A project with the local environment, the one of docs/deploy.md, and the model of the README."""
    root = tmp_path / "infra"
    for folder in ("models", "environments"):
        (root / folder).mkdir(parents=True)
    local = (PROJECT / "infra/environments/local.yaml").read_text(encoding="utf-8")
    (root / "environments/local.yaml").write_text(local, encoding="utf-8")
    example = re.search(r"```yaml\n(# infra/environments/prod\.yaml\n.*?)```", DEPLOY, re.DOTALL)[1]
    (root / "environments/prod.yaml").write_text(example, encoding="utf-8")
    (root / "models/churn.yaml").write_text(re.search(r"```yaml\n(.*?)```", README, re.DOTALL)[1], encoding="utf-8")
    return root


def test_the_environment_of_the_deploy_page_and_the_readmes_model_are_right(project):
    environment = load_environment("prod", project)
    assert load_model("churn", environment, project).owner == "growth@example.com"
    assert f"aws ecr get-login-password --region {environment.region}" in DEPLOY
    assert f"registry={environment.account}.dkr.ecr.{environment.region}.amazonaws.com" in DEPLOY
    assert f"$registry/{environment.names.base}/" in DEPLOY


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(endpoint:\n.*?)```", DEPLOY, re.DOTALL))
def test_the_endpoints_of_the_deploy_page_are_right(example, project):
    model = (
        "name: shop\nowner: growth\nproblem: regression\ndata: {label: left, time: day}\nfeatures: {numeric: [age]}\n"
    )
    (project / "models/shop.yaml").write_text(model + example, encoding="utf-8")
    assert load_model("shop", load_environment("prod", project), project).endpoint.scaling.min > 1


def test_the_readmes_mistake_is_told_as_the_readme_says(project):
    file = project / "models/churn.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("categorical:", "categoricl:"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_model("churn", load_environment("local", project), project)
    told = str(caught.value)
    assert told[told.index("infra/models") :] in README


def test_the_names_on_the_pages_are_those_of_naming(project):
    names = load_environment("prod", project).names
    churn = names.model("churn")
    pages = " ".join(path.read_text(encoding="utf-8") for path in (PROJECT / "docs").rglob("*.md"))
    assert f"endpoint={churn.base}" in pages
    assert f"registry={names.bucket('registry')}" in pages
    assert f"--pipeline-name {churn.base}" in pages
    assert f"{load_environment('local').names.model('flight-delay').base}" in pages


def test_the_local_clouds_address_on_the_pages_is_the_environments():
    address = str(load_environment("local", PROJECT / "infra").endpoint_url).rstrip("/")
    page = (PROJECT / "docs/local-cloud.md").read_text(encoding="utf-8")
    assert set(re.findall(r"http://127\.0\.0\.1:\d+", page)) == {address}


def test_the_workflow_and_the_hooks_call_what_exists():
    targets = set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in (".github/workflows/ci.yml", ".pre-commit-config.yaml"):
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"(?:run|entry): make ([a-z-]+)", text)) <= targets
        assert set(re.findall(r"entry: \.venv/bin/sagestack ([a-z]+)", text)) <= set(sagestack_commands())


def test_every_page_of_docs_is_in_their_index():
    index = PROJECT / "docs/README.md"
    linked = {path for _, path, _ in links(index)}
    pages = {page for page in PAGES if page.is_relative_to(PROJECT / "docs")} - {index}
    assert names(sorted(pages - linked)) == []
