import json

import pytest

from infra.config import ConfigError, load_environment, load_lock, load_model, load_project

RELEASE = {
    "version": 2,
    "model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/acme-local-churn/2",
    "model_data_url": "s3://registry/churn/model.tar.gz",
    "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-local/serving:1",
    "baseline_uri": "s3://registry/churn/baseline",
    "evaluation_uri": "s3://registry/churn/evaluation.json",
    "metrics": {"auc": 0.72},
    "trained_on": "2013-01,2013-02",
    "data_fingerprint": "sha256:" + "0" * 64,
    "started_by": "drift",
    "approved_by": "ada",
    "promoted_by": "grace",
    "promoted_at": "2013-05-02T00:00:10Z",
    "commit": "0" * 40,
}
LAUGHS = b"a: &a [x, x]\n" + b"".join(
    f"{chr(99 + i)}: &{chr(99 + i)} [*{chr(98 + i) if i else 'a'}, *{chr(98 + i) if i else 'a'}]\n".encode()
    for i in range(20)
)


def lock(**changes):
    return json.dumps({"schema_version": 1, "model": "churn", "current": RELEASE, "previous": None} | changes, indent=2)


def message(function, *arguments):
    with pytest.raises(ConfigError) as caught:
        function(*arguments)
    return str(caught.value)


def test_a_project_holds_its_models_and_where_nothing_was_promoted_no_lock(files):
    files.model("churn")
    project = load_project("local")
    assert project.environment.names.base == "acme-local"
    assert list(project.models) == ["churn"]
    assert project.locks == {"churn": None}
    assert project.lock_path("churn") == files.folder / "build/releases/churn.json"


def test_zero_is_kept_where_a_default_is_not_zero(files):
    files.model("churn", "endpoint: {decision_threshold: 0}\nretraining: {cooldown_days: 0}\n")
    model = load_project("local").models["churn"]
    assert (model.endpoint.decision_threshold, model.retraining.cooldown_days) == (0, 0)


def test_initial_instances_are_the_fewest_unless_given(files):
    files.model(
        "churn", "endpoint: {scaling: {min: 2, max: 4}}\nenvironments: {prod: {endpoint: {scaling: {initial: 3}}}}\n"
    )
    counts = [load_project(name).models["churn"].endpoint.scaling.initial_count for name in ("local", "prod")]
    assert counts == [2, 3]


def test_the_gates_metric_is_the_problems_first(files):
    files.model("churn", "environments: {prod: {problem: regression}}\n")
    metrics = [load_project(name).models["churn"].training.gate.metric for name in ("local", "prod")]
    assert metrics == ["auc", "rmse"]


def test_null_in_an_overlay_turns_drift_off_there_only(files):
    files.model("churn", "environments:\n  local: {monitoring: {drift: null}, retraining: {on_drift: false}}\n")
    assert load_project("local").models["churn"].monitoring.drift is None
    assert load_project("prod").models["churn"].monitoring.drift is not None


@pytest.mark.usefixtures("files")
def test_the_environment_is_local_unless_the_variable_names_another(monkeypatch):
    assert load_project().environment.name == "local"
    monkeypatch.setenv("SAGESTACK_ENV", "prod")
    assert load_project().environment.name == "prod"


def test_releases_are_kept_beside_the_models_unless_the_environment_says_otherwise(files):
    assert load_project("prod").lock_path("churn") == files.root / "releases/prod/churn.json"


def test_the_project_is_found_from_a_folder_inside_it(files, monkeypatch):
    inside = files.folder / "docs/guides"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert load_project("local").root == files.root


def test_the_root_variable_names_another_project(files, monkeypatch, tmp_path_factory):
    files.model("churn")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("SAGESTACK_ROOT", str(files.root))
    assert list(load_project("local").models) == ["churn"]


@pytest.mark.usefixtures("files")
def test_an_environment_that_does_not_exist_lists_those_that_do():
    assert message(load_project, "staging") == (
        "infra/environments/staging.yaml: there is no environment staging: environments are local, prod"
    )
    assert message(load_project, "prd").endswith("did you mean prod?")


def test_a_model_that_does_not_exist_suggests_the_nearest(files):
    files.model("churn")
    assert message(load_project, "local", None, ["chrun"]).endswith("there is no model chrun: did you mean churn?")
    assert message(load_project("local").lock, "chrun").endswith("there is no model chrun: did you mean churn?")


def test_a_name_cannot_lead_out_of_the_folder(files):
    files.write("secret.yaml", "name: secret\n")
    assert "there is no model ../../secret" in message(load_model, "../../secret", load_environment("local"))


def test_a_file_with_the_wrong_ending_is_not_overlooked(files):
    files.write("infra/models/churn.yml", "name: churn\n")
    assert message(load_project, "local") == "infra/models/churn.yml: ends in .yml: rename it to .yaml"


def test_the_problems_of_all_files_are_told_at_once(files):
    files.model("churn", "endpoint: {colour: red}\n")
    files.model("fraud", "training: 5\n")
    files.write("infra/releases/prod/fraud.json", "{}")
    told = message(load_project, "prod").splitlines()
    assert [line.split(":")[0] for line in told] == [
        "infra/models/churn.yaml",
        "infra/models/fraud.yaml",
        "infra/releases/prod/fraud.json",
        "infra/releases/prod/fraud.json",
    ]


def test_a_name_must_leave_room_for_prefix_and_content_hash(files):
    prod = files.root / "environments/prod.yaml"
    prod.write_text(prod.read_text().replace("prefix: acme", "prefix: acme-analytics"))
    files.model("customers-who-will-leave-within-a-month")
    told = message(load_project, "prod")
    assert told.startswith("infra/models/customers-who-will-leave-within-a-month.yaml:1: name is")
    assert told.endswith("make 70 characters long, but AWS allows 63: shorten it by 7")
    assert load_project("local").models


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name: \xff\n", "is not UTF-8 text (byte 6): save it as UTF-8"),
        (b"name: a\x07\n", "holds a character that YAML does not allow: remove it"),
        (b"name: " + b"[" * 5000, "is nested too deeply: this is no configuration"),
        (LAUGHS, "brings the file to 100,000 values: use fewer aliases"),
        (b"#" * 1_000_001, "is larger than 1,000,000 bytes: this is no configuration"),
    ],
)
def test_a_file_that_is_no_text_is_refused(files, content, told):
    files.model("churn").write_bytes(content)
    assert told in message(load_project, "local")


def test_a_folder_in_a_files_place_is_refused(files):
    (files.root / "models/churn.yaml").mkdir()
    assert message(load_project, "local") == "infra/models/churn.yaml: cannot be read: Is a directory"


def test_a_release_lock_says_what_is_declared(files):
    files.model("churn")
    files.write("build/releases/churn.json", lock(previous=RELEASE | {"version": 1}))
    lock_ = load_project("local").lock("churn")
    assert [release.version for release in (lock_.current, lock_.previous)] == [2, 1]
    assert lock_.current.promoted_at.isoformat() == "2013-05-02T00:00:10+00:00"


def test_a_release_lock_is_read_as_it_was_written(files):
    files.model("churn")
    path = files.write("build/releases/churn.json", lock())
    environment = load_environment("local")
    before = load_lock("churn", environment)
    path.write_text(before.model_dump_json(indent=2))
    assert load_lock("churn", environment) == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"schema_version": 2},
            "infra:2: schema_version is 2 but this sagestack reads 1: install the one that wrote it",
        ),
        ({"model": "fraud"}, 'infra:3: model is "fraud" but the file is churn.json: make them the same'),
        ({"current": RELEASE | {"promoted_at": "2013-05-02"}}, "infra:19: current.promoted_at"),
        ({"current": RELEASE | {"version": "2"}}, 'infra:5: current.version is "2" but must be a whole number'),
        ({"current": None}, "infra:4: current is empty but must be a mapping"),
    ],
)
def test_a_wrong_release_lock_is_refused_with_its_line(files, changes, told):
    files.model("churn")
    files.write("build/releases/churn.json", lock(**changes))
    assert message(load_project, "local").startswith(told.replace("infra", "build/releases/churn.json", 1))


def test_a_release_lock_with_a_key_twice_is_refused_though_json_would_take_it(files):
    files.model("churn")
    text = lock()
    files.write("build/releases/churn.json", text.replace("{", '{"model": "churn",', 1))
    assert "model" in message(load_project, "local")
