"""What the container file starts: it is run as its user, where nothing but its volumes can be written to."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from support.scim_servers import free_port
from support.web_server import SHEET, Visitor, words_of
from support.workplace import COMMAND, Workplace

_FILE = Path(__file__).parents[3] / "docs" / "examples" / "Containerfile"
_NAME = "import.acme.example"
_ACCESS = '[proxy]\nheader = "X-Person"\n[[people]]\nname = "ana"\nrole = "importer"\n'


def instructions() -> dict[str, str]:
    """What the file says, by the instruction; each is there once."""
    text = re.sub(r"\\\n\s*", "", _FILE.read_text("utf-8"))
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    found = {name: rest for name, _, rest in lines}
    assert len(found) == len(lines)
    return found


def test_the_container_file_holds_together() -> None:
    said = instructions()
    volumes = json.loads(said["VOLUME"])
    made = re.search(r"install --directory --owner=(\d+) --mode=0700 (.+)$", said["RUN"])
    assert made is not None
    assert made[1] == said["USER"]  # or the volumes would be root's
    assert made[2].split() == volumes
    assert f"--uid {said['USER']} " in said["RUN"]
    assert said["WORKDIR"] in volumes
    entry = json.loads(said["ENTRYPOINT"])
    paths = [word for word in entry if word.startswith("/")]
    assert all(any(Path(path).is_relative_to(volume) for volume in volumes) for path in paths)
    assert f":{said['EXPOSE']}/health" in said["HEALTHCHECK"]
    extras = re.search(r'"musterroll\[([\w,-]+)\]"', said["RUN"])
    assert extras is not None
    known = (_FILE.parents[2] / "pyproject.toml").read_text("utf-8")
    assert all(f"\n{extra} = [" in known for extra in extras[1].split(","))
    assert re.search(r'requires-python = ">=(.+)"', known)[1] in said["FROM"]  # type: ignore[index]


@pytest.fixture
def container() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process that the file starts, and its port."""
    if not (sys.platform.startswith("linux") and os.geteuid() == 0 and shutil.which("unshare")):
        pytest.skip("only root on Linux can have a root that cannot be written to")
    said = instructions()
    user, port = int(said["USER"]), free_port()
    volumes = json.loads(said["VOLUME"])
    with tempfile.TemporaryDirectory() as place:
        inside = Path(place)
        for name in (*volumes, "/tmp"):  # noqa: S108 -- what the command in the file makes of it
            (inside / name[1:]).mkdir()
        customer = Workplace(inside / "customers" / "acme")
        customer.folder.mkdir()
        customer.pipeline(name="acme")
        (inside / "customers" / "access").mkdir()
        (inside / "customers" / "access" / "access.conf").write_text(_ACCESS)
        for path in (inside, *inside.rglob("*")):
            os.chown(path, user, user)
        entry = [str(COMMAND), *json.loads(said["ENTRYPOINT"])[1:]]
        entry = [str(inside / word[1:]) if word.startswith(tuple(volumes)) else word for word in entry]
        entry += ["--port", str(port), "--public-url", f"https://{_NAME}"]
        # It may read what is root's: an interpreter may be there.
        may_read = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        as_user = [
            "setpriv",
            f"--reuid={user}",
            f"--regid={user}",
            "--clear-groups",
            "--no-new-privs",
            *may_read,
            *entry,
        ]
        script = [
            "set -e",
            "mount --make-rprivate /",
            f"mount --bind {place} {place}",
            "mount -o remount,bind,ro /",
            f"cd {place}{said['WORKDIR']}",
            f"exec {shlex.join(as_user)}",
        ]
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", "\n".join(script)],
            env={**os.environ, "HOME": "/nonexistent", "TMPDIR": str(inside / "tmp")},
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            deadline = time.monotonic() + 60
            while not _answers(port):
                if process.poll() is not None:
                    assert process.stderr is not None
                    pytest.skip(f"it cannot be somebody else here: {process.stderr.read()[-300:]}")
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield process, port
        finally:
            process.terminate()
            process.communicate(timeout=60)


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


class _Proxy(httpx.BaseTransport):
    """A proxy in front, which has TLS and names the person.

    Args:
        port: that of the server.
    """

    def __init__(self, port: int) -> None:
        self._port, self._line = port, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = [*request.headers.raw, (b"x-person", b"ana")]
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._line.handle_request(httpx.Request(request.method, url, headers=headers, stream=request.stream))

    def close(self) -> None:
        self._line.close()


@pytest.mark.slow
def test_what_the_container_starts_imports_and_is_healthy(container: tuple[subprocess.Popen[str], int]) -> None:
    process, port = container
    said = instructions()
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert f"Uid:\t{said['USER']}" in status
    check = json.loads(said["HEALTHCHECK"].partition("CMD ")[2])
    healthy = [sys.executable, *(word.replace(said["EXPOSE"], str(port)) for word in check[1:])]
    assert subprocess.run(healthy, check=False, capture_output=True).returncode == 0
    with httpx.Client(base_url=f"https://{_NAME}", transport=_Proxy(port), follow_redirects=True, timeout=60) as client:
        visitor = Visitor(client, "/c/acme")
        assert "Completed" in words_of(visitor.import_(SHEET, invites="none"))
    process.terminate()
    assert process.wait(30) == 0
    assert subprocess.run(healthy, check=False, capture_output=True).returncode != 0
