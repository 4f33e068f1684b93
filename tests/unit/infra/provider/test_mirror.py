import platform
from pathlib import Path

import pytest

from infra.provider.mirror import find_package, use_mirror, usual_mirrors

SOURCE = Path("registry.terraform.io/hashicorp/aws")


@pytest.fixture(autouse=True)
def _a_linux_machine(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror" / SOURCE / "5.100.0/linux_amd64").mkdir(parents=True)
    return tmp_path / "mirror"


@pytest.fixture
def output(tmp_path):
    for stack in ("one", "two"):
        (tmp_path / "cdktf.out/stacks" / stack).mkdir(parents=True)
    return tmp_path / "cdktf.out"


def files(folder):
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def test_every_stack_gets_a_link_to_the_mirrored_provider_and_a_lock_that_names_it(mirror, output):
    package = use_mirror(output, [mirror])
    assert package == mirror / SOURCE / "5.100.0/linux_amd64"
    for stack in ("one", "two"):
        folder = output / "stacks" / stack
        assert (folder / "terraform.d/plugins" / SOURCE / "5.100.0/linux_amd64").readlink() == package
        assert (folder / ".terraform.lock.hcl").read_text() == (
            'provider "registry.terraform.io/hashicorp/aws" {\n'
            '  version     = "5.100.0"\n'
            '  constraints = "5.100.0"\n'
            "}\n"
        )


def test_where_there_is_no_mirror_nothing_is_written(tmp_path, output):
    assert use_mirror(output, [tmp_path / "nowhere"]) is None
    assert files(output) == []


def test_a_mirror_of_another_version_or_platform_is_none(tmp_path, output):
    (tmp_path / "old" / SOURCE / "5.99.0/linux_amd64").mkdir(parents=True)
    (tmp_path / "other" / SOURCE / "5.100.0/darwin_arm64").mkdir(parents=True)
    assert use_mirror(output, [tmp_path / "old", tmp_path / "other"]) is None


def test_a_zipped_package_is_linked_as_well(tmp_path, output):
    package = tmp_path / "mirror" / SOURCE / "terraform-provider-aws_5.100.0_linux_amd64.zip"
    package.parent.mkdir(parents=True)
    package.touch()
    assert use_mirror(output, [tmp_path / "mirror"]) == package
    assert (output / "stacks/one/terraform.d/plugins" / SOURCE / package.name).readlink() == package


def test_a_lock_that_terraform_completed_is_left_alone(mirror, output):
    use_mirror(output, [mirror])
    lock = output / "stacks/one/.terraform.lock.hcl"
    completed = "# by terraform init\n\n" + lock.read_text().replace("}", '  hashes = ["h1:x"]\n}')
    lock.write_text(completed)
    use_mirror(output, [mirror])
    assert lock.read_text() == completed


def test_a_lock_on_another_version_is_written_anew(mirror, output):
    lock = output / "stacks/one/.terraform.lock.hcl"
    lock.write_text('provider "registry.terraform.io/hashicorp/aws" {\n  version     = "4.0.0"\n}\n')
    use_mirror(output, [mirror])
    assert "4.0.0" not in lock.read_text()


def test_a_mirror_that_moved_is_linked_anew(tmp_path, mirror, output):
    use_mirror(output, [mirror])
    package = use_mirror(output, [mirror.rename(tmp_path / "moved")])
    assert (output / "stacks/one/terraform.d/plugins" / SOURCE / "5.100.0/linux_amd64").readlink() == package


def test_the_users_own_mirror_comes_before_the_machines(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    package = tmp_path / ".terraform.d/plugins" / SOURCE / "5.100.0/linux_amd64"
    package.mkdir(parents=True)
    assert find_package(usual_mirrors()) == package


def test_an_installed_provider_is_the_mirrors_own_whatever_becomes_of_the_cache_between(tmp_path, mirror, output):
    installed = [
        output / "stacks" / stack / ".terraform/providers" / SOURCE / "5.100.0/linux_amd64" for stack in ("one", "two")
    ]
    for link, cached in zip(installed, (tmp_path / "gone", tmp_path), strict=True):
        link.parent.mkdir(parents=True)
        link.symlink_to(cached)
    package = use_mirror(output, [mirror])
    assert [link.readlink() for link in installed] == [package, package]
