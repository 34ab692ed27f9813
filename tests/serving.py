"""A Prefect server as tests ask it: its API, and waiting for what it does."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any

PATIENCE = 300


class Server:
    """A Prefect server's API, and the process that must not end while it is waited for."""

    def __init__(self, port: int, process: subprocess.Popen, review: str = ""):
        self.url, self.review = f"http://127.0.0.1:{port}/api", review
        self._process = process

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        return self._answer(request)

    def get(self, path: str) -> Any:
        return self._answer(urllib.request.Request(self.url + path))

    @staticmethod
    def _answer(request: urllib.request.Request) -> Any:
        """The answer; asked again, as Prefect's own client does, while its database is busy (503)."""
        for _ in range(5):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                time.sleep(2)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def wait_for(self, question, what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if answer := question():
                    return answer
            except OSError:
                pass  # the server is still coming up
            time.sleep(0.5)
        raise AssertionError(f"{what} did not happen within {PATIENCE} seconds")

    def deployments(self) -> dict[str, dict[str, Any]]:
        return {d["name"]: d for d in self.post("/deployments/filter", {})}

    def finished(self, run_id: str) -> dict[str, Any] | None:
        run = self.get(f"/flow_runs/{run_id}")
        return run if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
