"""A serving image in one file: its model is a JSON file that says how to behave."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILE = Path(os.environ["SAGESTACK_ML_ROOT"]) / "model/model.json"
MODEL = json.loads(FILE.read_text()) if FILE.exists() else {}
LOADED: dict[str, dict] = {}
LOADS: list[str] = []
ROOM = 2
"""So many models may be loaded in multi-model mode."""
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was told and what its model is called."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer the health check, and what a batch transform job asks first."""
        if self.path == "/execution-parameters":
            self.answer(200 if "parameters" in MODEL else 404, json.dumps(MODEL.get("parameters")).encode())
            return
        self.answer(200 if MODEL.get("healthy", True) else 503, b"")

    def do_POST(self) -> None:
        """Answer an invocation; the body may ask for trouble."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/models"):
            self.answer(*several(self.path, body))
            return
        time.sleep(MODEL.get("seconds", 2 if body == b"slow" else 0))
        if body.startswith(b"busy"):
            until = time.process_time() + float(body.split()[1])
            while time.process_time() < until:
                pass
        if body == b"crash" or MODEL.get("crash"):
            os._exit(1)
        if body.startswith(b"error") and not MODEL.get("trusting"):
            self.answer(int(body.split()[1]), b"that is wrong")
            return
        if "error" in MODEL:
            self.answer(MODEL["error"], b"this model is wrong")
            return
        if MODEL.get("counts"):
            lines = [json.dumps([len(line.split(b",")), number]) for number, line in enumerate(body.splitlines())]
            self.answer(200, "\n".join(line.strip("[]").replace(" ", "") for line in lines).encode(), "text/csv")
            return
        if "append" in MODEL:
            self.answer(200, body + MODEL["append"].encode(), "text/csv")
            return
        seen = {"model": MODEL["name"], "body": len(body), "pid": os.getpid(), "headers": dict(self.headers)}
        seen["variables"] = {name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")}
        self.answer(200, json.dumps(seen).encode())

    def do_DELETE(self) -> None:
        """Unload a model."""
        self.answer(200 if LOADED.pop(self.path.split("/")[2], None) else 404, b"")

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        """Send one answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if ATTRIBUTES in self.headers:
            self.send_header(ATTRIBUTES, self.headers[ATTRIBUTES])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def several(path: str, body: bytes) -> tuple[int, bytes]:
    """Load a model, or have one answer."""
    if path == "/models":
        asked = json.loads(body)
        if asked["model_name"] in LOADED:
            return 409, b""
        if len(LOADED) >= ROOM:
            return 507, b"no room"
        LOADS.append(asked["model_name"])
        LOADED[asked["model_name"]] = json.loads((Path(asked["url"]) / "model.json").read_text())
        return 200, b""
    name = path.split("/")[2]
    if name not in LOADED:
        return 404, b"not loaded"
    seen = {"model": LOADED[name]["name"], "loaded": len(LOADED), "loads": len(LOADS), "pid": os.getpid()}
    return 200, json.dumps(seen).encode()


if __name__ == "__main__":
    assert sys.argv[1:] == ["serve"]
    server = ThreadingHTTPServer(
        (os.environ["SAGESTACK_BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler
    )
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    server.serve_forever(0.02)
