"""What is declared is read from what is synthesized, and nothing is asked of AWS."""

import re

from infra.release.intended import Scaling, intended


def test_what_is_declared_is_read_from_what_is_synthesized(new_project, new_release, monkeypatch):
    project = new_project()
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    project.lock("flight-delay", new_release(2), new_release(1))
    overlay = "environments: {local: {endpoint: {capture: {percent: 40}, scaling: {min: 2, max: 5}}}}\n"
    path = project.root / "models/flight-delay.yaml"
    path.write_text(path.read_text() + overlay)
    found = intended("local", "flight-delay")
    (main,) = found.variants
    expected = new_release(2)
    assert (main.images, main.model_data) == ((expected["image"],), (expected["model_data_url"],))
    assert (found.scaling, found.capture_percent) == ((Scaling("main", 2, 5, scaled=True),), 40)
    assert found.endpoint == "sagestack-local-flight-delay"
    assert re.fullmatch(r"sagestack-local-flight-delay-[0-9a-f]{10}", found.configuration)
    names = {alarm.name.removeprefix(found.endpoint) for alarm in found.alarms}
    assert names >= {"-errors", "-latency", "-drift-features"}
    assert found.rollback_alarms == (f"{found.endpoint}-errors", f"{found.endpoint}-latency")
    assert found.configuration in found.declared
    assert len(found.declared) == 2
    assert intended("local", "flight-delay").plan == found.plan


def test_a_fleet_that_is_not_scaled_is_meant_to_have_its_one_size(new_project, new_release, monkeypatch):
    project = new_project()
    project.model(
        "churn",
        "endpoint: {scaling: {min: 3, max: 3}, capture: {percent: 0}}\nmonitoring: {drift: null}\n"
        "retraining: {on_drift: false}\n",
    )
    project.lock("churn", new_release(1))
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    found = intended("local", "churn")
    assert (found.scaling, found.capture_percent) == ((Scaling("main", 3, 3, scaled=False),), 0)


def test_a_variant_from_the_registry_is_compared_by_its_model_package(new_project, new_release, monkeypatch):
    project = new_project()
    project.model("churn", "endpoint: {variants: [{name: challenger, version: 7, weight: 1}]}")
    project.lock("churn", new_release(1))
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    challenger, _ = intended("local", "churn").variants
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/sagestack-local-churn/7"
    assert (challenger.name, challenger.images, challenger.model_data) == ("challenger", (package,), (None,))
