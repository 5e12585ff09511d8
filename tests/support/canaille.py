"""Canaille, a real identity portal, in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support.programs import needs
from support.scim_servers import free_port, wait_until


def _canaille() -> str | None:
    """The program: in the path, or where MUSTERROLL_CANAILLE says, as it needs an environment of its own."""
    return os.environ.get("MUSTERROLL_CANAILLE") or shutil.which("canaille")


needs_canaille = needs(
    None if _canaille() else "Canaille is not installed (MUSTERROLL_CANAILLE names its program)",
)
CANAILLE_TOKEN = "let-me-in"


@contextlib.contextmanager
def canaille(folder: Path) -> Iterator[str]:
    """Starts Canaille with an empty database, and stops it; yields the address of its SCIM service."""
    program = _canaille()
    assert program is not None, "Canaille is not installed"
    settings = folder / "canaille.toml"
    settings.write_text(
        'SECRET_KEY="x"\n[CANAILLE]\nDATABASE="sql"\n'
        f'[CANAILLE_SQL]\nDATABASE_URI="sqlite:///{(folder / "canaille.db").as_posix()}"\n'
        "[CANAILLE_SCIM]\nENABLE_SERVER=true\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "CANAILLE_CONFIG": str(settings)}

    def run(*arguments: str) -> None:
        subprocess.run([program, *arguments], env=environment, check=True, capture_output=True)

    run("install")
    run("create", "client", "--client-id", "importer", "--client-name", "importer", "--client-secret", "x")
    token = ["create", "token", "--token-id", "t1", "--access-token", CANAILLE_TOKEN, "--client", "importer"]
    lasting = ["--issue-date", "2026-01-01T00:00:00+00:00", "--lifetime", "99999999"]
    run(*token, "--type", "access_token", "--scope", "openid", *lasting)
    port = free_port()
    process = subprocess.Popen(
        [program, "run", "--bind", f"127.0.0.1:{port}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/scim/v2"
    try:
        wait_until(lambda: _answers(port))
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request(
            "GET", "/scim/v2/ServiceProviderConfig", headers={"Authorization": f"Bearer {CANAILLE_TOKEN}"}
        )
        return connection.getresponse().status == 200
    return False
