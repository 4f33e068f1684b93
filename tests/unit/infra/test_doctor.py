import http.server
import socket
import sys
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest

from infra import doctor, toolchain
from infra.doctor import Finding
from infra.provider import mirror
from infra.toolchain import Tool


@pytest.fixture
def configured_port(monkeypatch):
    def configure(port):
        url = f"http://127.0.0.1:{port}"
        monkeypatch.setattr(doctor, "load_environment", lambda _: SimpleNamespace(endpoint_url=url))

    return configure


@pytest.fixture
def serving():
    """Serve a status on every path; give the port."""
    servers = []

    def serve(status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_missing_tool_fails_with_the_way_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(
        doctor, "CHECKS", {"Python": lambda: Finding("3.11"), "Node": lambda: Finding("none", "get one")}
    )
    assert doctor.main() == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ok", "Python", "3.11"] in lines
    assert ["missing", "Node", "none", "get", "one"] in lines


def test_it_passes_when_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"Python": lambda: Finding("3.11")})
    assert doctor.main() == 0


def test_a_check_that_cannot_answer_has_failed(monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"Terraform": doctor.terraform})
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(toolchain.TERRAFORM_VARIABLE, "nonesuch")
    finding = doctor.examine()["Terraform"]
    assert not finding.passed
    assert finding.fix.startswith("nonesuch is not installed")


@pytest.mark.parametrize(
    ("version", "passed"), [((20, 20, 2), False), ((22, 18, 9), False), ((22, 19, 0), True), ((24,), False)]
)
def test_only_a_node_that_both_command_lines_run_on_will_do(monkeypatch, version, passed):
    monkeypatch.setattr(toolchain, "node", lambda: Tool("node", version))
    assert doctor.node().passed is passed


@pytest.mark.parametrize(("version", "passed"), [((1, 9, 8), False), ((1, 10, 0), True), ((2, 0), True)])
def test_terraform_must_know_locking_in_s3(monkeypatch, version, passed):
    monkeypatch.setattr(toolchain, "terraform", lambda: "terraform")
    monkeypatch.setattr(toolchain, "terraform_version", lambda path: Tool(path, version))
    assert doctor.terraform().passed is passed


def test_an_old_python_is_named(monkeypatch):
    assert doctor.python().passed
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    assert "Python 3.11 or newer" in doctor.python().fix


def test_a_free_port_passes(configured_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, and nobody answers
        configured_port(taken.getsockname()[1])
        assert doctor.port().passed


def test_a_port_that_the_local_cloud_has_passes(configured_port, serving):
    configured_port(serving(200))
    assert doctor.port().found.startswith("the local cloud is up on")


def test_a_port_that_something_else_has_fails(configured_port, serving):
    configured_port(serving(404))
    assert "taken" in doctor.port().found
    assert "endpoint_url" in doctor.port().fix


def test_a_provider_in_neither_mirror_nor_registry_is_missing(monkeypatch):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(mirror, "usual_mirrors", list)
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    finding = doctor.provider()
    assert "registry.terraform.io cannot be reached" in finding.found
    assert "terraform providers mirror" in finding.fix


def test_a_mirrored_provider_needs_no_registry(monkeypatch, tmp_path):
    package = tmp_path / "registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
    monkeypatch.setattr(mirror, "usual_mirrors", list)
    monkeypatch.setattr(mirror, "find_package", lambda _: package)
    assert doctor.provider() == Finding(f"mirrored: {package}")


def test_a_full_disk_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "FREE_GB", 10**9)
    assert "needs" in doctor.disk().fix
