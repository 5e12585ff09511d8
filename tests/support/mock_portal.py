"""The mock portal for tests: as a program of its own, or as an application that is called directly."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_READY = "mock portal at "
_VARIABLE = "MUSTERROLL_PORTAL_TOKEN"
_OWN = "the token that the portal was started with"


class Answer(NamedTuple):
    """An HTTP answer; `body` is None unless it is JSON."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content.startswith((b"{", b"[")) else None


class MockPortal:
    """`musterroll portal` at work.

    Attributes:
        url: where SCIM is.
        process: the program.
        errors: the file that its standard error goes to.
        token: what requests must bring.
    """

    def __init__(self, process: subprocess.Popen[bytes], errors: Path, token: str) -> None:
        self.process, self.errors, self.token = process, errors, token
        self.url = ""

    @property
    def options(self) -> str:
        """What a pipeline file needs to use it."""
        return f'{{ url = "{self.url}", token = {{ env = "{_VARIABLE}" }} }}'

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        authorization: str | None = _OWN,
        timeout: float = 20,
        **further: str,
    ) -> Answer:
        """Sends a request on a connection of its own; raises OSError or HTTPException where there is no answer."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
        headers = {"Content-Type": "application/scim+json"} | {n.replace("_", "-"): v for n, v in further.items()}
        if authorization is not None:
            headers["Authorization"] = f"Bearer {self.token}" if authorization == _OWN else authorization
        try:
            connection.request(method, parts.path + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def stop(self) -> int:
        """Ends it as Ctrl-C does, and returns the exit status."""
        if os.name == "nt":  # where only consoles can send Ctrl-C
            self.process.terminate()
        elif self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@contextlib.contextmanager
def mock_portal(directory: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[MockPortal]:
    """Starts `musterroll portal` on a free port, and stops it.

    Args:
        directory: the directory's file.
        options: of the command.
        environment: further variables.
    """
    os.environ.setdefault(_VARIABLE, "rehearsal")  # for the programs that ask it, too, and also when it is gone
    variables = {**os.environ, **(environment or {})}
    command = [sys.executable, "-m", "musterroll_cli", "portal", str(directory), "--port", "0", *options]
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder, "stderr.txt")
        with errors.open("wb") as file:
            process = subprocess.Popen(command, stderr=file, env=variables)
        portal = MockPortal(process, errors, variables[_VARIABLE])
        try:
            portal.url = _wait_for_url(portal)
            yield portal
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def _wait_for_url(portal: MockPortal) -> str:
    for _ in range(600):
        text = portal.errors.read_text(encoding="utf-8")
        if text.startswith(_READY) and "\n" in text:
            return text.removeprefix(_READY).split()[0]
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = portal.process.wait(0.05)
            raise AssertionError(f"the portal ended with {status}: {portal.errors.read_text(encoding='utf-8')}")
    raise AssertionError("the portal does not start")


async def ask(
    application: Any, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
) -> Answer | None:
    """Sends a request to an ASGI application; None where it gives no answer, and the client goes."""
    path, _, query = path.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    sent = {"content-type": "application/scim+json", "host": "portal.example", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    incoming = [{"type": "http.request", "body": content, "more_body": False}]
    status, found, received = 0, dict[str, str](), b""

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, received
        if message["type"] == "http.response.start":
            status = message["status"]
            found.update({name.decode().lower(): value.decode() for name, value in message["headers"]})
        else:
            received += message.get("body", b"")

    await application(scope, receive, send)
    return Answer(status, found, received) if status else None
