"""The hub's own client against a hub of our own, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .conftest import COMMIT

REPOSITORY = "/mwalmsley/zoobot-encoder-convnext_nano/resolve/main/"
CONTENT = b"weights"


class Hub(BaseHTTPRequestHandler):
    """Holds pickled weights and no safetensors, as Zoobot's repositories do."""

    def do_HEAD(self) -> None:
        found = self.path == REPOSITORY + "pytorch_model.bin"
        self.send_response(200 if found or self.path == "/" else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        if found:
            self.send_header("ETag", '"abc123"')
            self.send_header("Content-Length", str(len(CONTENT)))
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(name, address, home):
    code = (
        "import sys; from glue_zoobot.encoders import find, is_cached, weights\n"
        "from glue_zoobot.errors import EncoderError\n"
        "spec = find(sys.argv[1])\n"
        "try: file = weights.fetch(spec)\n"
        "except EncoderError as error: sys.exit(str(error))\n"
        "print(file.path.read_text(), file.revision, is_cached(spec))"
    )
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    environment = {**kept, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    return subprocess.run([sys.executable, "-c", code, name], env=environment, capture_output=True, text=True)


def test_weights_are_downloaded_once_and_their_commit_recorded(address, tmp_path):
    assert fetch("convnext_nano", address, tmp_path).stdout == f"weights {COMMIT} True\n"
    # a second time nobody need answer
    assert fetch("convnext_nano", "http://127.0.0.1:9", tmp_path).stdout == f"weights {COMMIT} True\n"


def test_a_hub_that_does_not_answer_is_reported_at_once(tmp_path):
    answer = fetch("convnext_nano", "http://127.0.0.1:9", tmp_path)
    assert "Two ways out" in answer.stderr
    assert str(tmp_path) in answer.stderr
    assert "Retrying" not in answer.stderr


def test_a_repository_without_weights_says_so(address, tmp_path):
    answer = fetch("convnext_pico", address, tmp_path)
    assert "model.safetensors" in answer.stderr
